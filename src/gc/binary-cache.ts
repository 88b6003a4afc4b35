import type { Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { Graph } from './graph.ts';
import type { Measured, MeasureOptions } from './measure.ts';
import { join, look, namesIn, onDisk, type SharedFile, type Usage } from './walk.ts';

/** What a binary cache has, as a store: paths, what they take, and how they refer to each other. */
export type CacheContents = {
  measured: Measured;
  graph: Graph;
  /** The files of each path. */
  files: ReadonlyMap<string, { narinfo: string; nar: string }>;
  /** NARs that nothing describes, and when they were written. */
  orphans: readonly { path: string; written: number }[];
  /** Files that tell which path a derivation's output is. */
  realisations: readonly { path: string; output: string }[];
};

type Described = { name: string; url: string; references: string[]; narinfo: string; stat: Stats };

/** Reads all that describes something in a binary cache. */
export async function readCache(
  directory: string,
  { signal, onProgress }: MeasureOptions,
): Promise<CacheContents> {
  const root = Buffer.from(directory);
  const narinfos = (await namesIn(root)).filter((name) => name.toString().endsWith('.narinfo'));
  const nars = await narsOf(directory);
  const described: Described[] = [];
  for (const [index, name] of narinfos.entries()) {
    signal?.throwIfAborted();
    const one = await describe(join(root, name).toString());
    if (one !== undefined) described.push(one);
    onProgress?.(index + 1, narinfos.length);
  }
  const paths = new Map<string, Usage>();
  const files = new Map<string, { narinfo: string; nar: string }>();
  for (const { name, url, narinfo, stat } of described) {
    const nar = nars.get(url);
    paths.set(name, {
      bytes: onDisk(stat),
      shared: new Set(nar === undefined ? [] : [nar.file]),
      read: nar?.stat.atimeMs ?? 0,
      changed: Math.max(stat.mtimeMs, nar?.stat.mtimeMs ?? 0),
    });
    files.set(name, { narinfo, nar: `${directory}/${url}` });
  }
  const used = new Set(described.map(({ url }) => url));
  const orphans = [...nars].filter(([url]) => !used.has(url));
  const bytes =
    described.reduce((sum, { stat }) => sum + onDisk(stat), 0) +
    [...nars.values()].reduce((sum, { file }) => sum + file.bytes, 0);
  return {
    measured: { paths, strays: [], bytes },
    graph: graphOf(described, paths),
    files,
    orphans: orphans.map(([url, { stat }]) => ({ path: `${directory}/${url}`, written: stat.mtimeMs })),
    realisations: await realisationsOf(directory),
  };
}

async function narsOf(directory: string): Promise<Map<string, { file: SharedFile; stat: Stats }>> {
  const nars = new Map<string, { file: SharedFile; stat: Stats }>();
  const root = Buffer.from(`${directory}/nar`);
  for (const name of await namesIn(root)) {
    const stat = await look(join(root, name));
    // Equal contents are one file, whichever paths have them.
    if (stat?.isFile()) nars.set(`nar/${name}`, { file: { bytes: onDisk(stat), links: 1, met: 1 }, stat });
  }
  return nars;
}

/** What one of Nix's descriptions says (src/libstore/nar-info.cc); undefined for what is none, or has gone. */
async function describe(narinfo: string): Promise<Described | undefined> {
  const text = await textOf(narinfo);
  const stat = await look(Buffer.from(narinfo));
  const field = (key: string): string | undefined => new RegExp(`^${key}: (.+)$`, 'm').exec(text ?? '')?.[1];
  const [path, url] = [field('StorePath'), field('URL')];
  if (stat === undefined || path === undefined || url === undefined || !/^nar\/[^/]+$/.test(url))
    return undefined;
  const references = (field('References') ?? '').split(' ').filter((name) => name !== '');
  return { name: basename(path), url, references, narinfo, stat };
}

async function realisationsOf(directory: string): Promise<{ path: string; output: string }[]> {
  const root = Buffer.from(`${directory}/realisations`);
  const found: { path: string; output: string }[] = [];
  for (const name of await namesIn(root)) {
    const path = join(root, name).toString();
    const [, output] = /"outPath":\s*"([^"]+)"/.exec((await textOf(path)) ?? '') ?? [];
    if (output !== undefined) found.push({ path, output: basename(output) });
  }
  return found;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function graphOf(described: readonly Described[], paths: ReadonlyMap<string, Usage>): Graph {
  const names = described.map(({ name }) => name);
  const numbers = new Map(names.map((name, number) => [name, number]));
  return {
    names,
    numbers,
    registered: names.map((name) => paths.get(name)?.changed ?? 0),
    references: described.map(({ name, references }) =>
      references.flatMap((one) => (one === name ? [] : (numbers.get(one) ?? []))),
    ),
    derivers: names.map(() => undefined),
    outputs: new Map(),
  };
}
