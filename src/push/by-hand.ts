import { existsSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import type { CacheUri } from '../config/cache-uri.ts';
import type { Config } from '../config/keys.ts';
import { Exit, hasErrno, InitError } from '../errors.ts';
import type { Running } from '../nix/program.ts';
import type { Places } from '../state/check/places.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { PushFrom } from './cache-pusher.ts';
import { fromCache, fromPrefix, fromUpper } from './places.ts';
import { pushPaths } from './push.ts';
import { PushRecord } from './record.ts';
import type { Pushed } from './report.ts';
import { PATIENCE } from './round.ts';
import { listPaths } from './source.ts';

/** Where the new paths are of the volume that is here, whether an init runs or not; undefined: there is no volume. */
export function findNew(config: Config, { kind }: Places): Omit<PushFrom, 'nix'> | undefined {
  const { strategy } = config;
  if (strategy === 'prefix') return fromPrefix(config);
  if (kind === 'mounted' || kind === 'reader') return fromUpper(config);
  const kept = strategy !== 'none' && strategy !== 'host';
  if (kept && existsSync(volumeLayout(config.cacheDir).binaryCache)) return fromCache(config);
  if (kind === 'plain') return undefined;
  throw new InitError({
    stage: 'push',
    what: `the volume ${config.cacheDir} is not laid over ${config.storeDir} here`,
    errno: 'ENOENT',
    remedy:
      'docker exec CONTAINER nix-cache-init push --to URI; or as the command of /init: docker run … IMAGE nix-cache-init push --to URI',
    exitCode: Exit.config,
  });
}

/** The store path that somebody means by it or by a path in it, or by a link such as `result`; what is none stays as it is. */
export function storePathOf(said: string, storeDir: string): string {
  const whole = (path: string): string | undefined =>
    path.startsWith(`${storeDir}/`)
      ? `${storeDir}/${path.slice(storeDir.length + 1).split(sep)[0]}`
      : undefined;
  return whole(said) ?? whole(resolved(said)) ?? said;
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return path;
    throw error;
  }
}

export type ByHand = {
  to: CacheUri;
  nix: string;
  /** Undefined: all new ones. */
  paths: readonly string[] | undefined;
  /** Where those are; undefined: nowhere. */
  from: Omit<PushFrom, 'nix'> | undefined;
  /** Whether also those that the record says are there already. */
  again: boolean;
  onProgress: (done: number, total: number) => void;
};

/** Pushes to one cache what somebody asks for, and says what is there. */
export async function pushByHand(request: ByHand, running: Running): Promise<Pushed> {
  const { to, nix, from, again, onProgress } = request;
  const record = from && new PushRecord(from.records, to);
  const pushed = again ? new Set<string>() : await record?.read();
  const paths =
    request.paths ?? (from && (await listPaths(from.source, (hash) => pushed?.has(hash) ?? false))) ?? [];
  const wanted = new Set(paths);
  const there = new Set<string>();
  const begun = new Set<string>();
  const onLine = (line: string): void => {
    const [, path = ''] = /^copying path '([^']+)'/.exec(line) ?? [];
    if (wanted.has(path)) begun.add(path);
    onProgress(Math.max(there.size, begun.size - 1), paths.length);
  };
  const onPushed = async (some: readonly string[]): Promise<void> => {
    for (const path of some) there.add(path);
    onProgress(there.size, paths.length);
    await record?.note(some);
  };
  // Paths that were named are in the store; of a binary cache's own, those that nobody named.
  const source = request.paths === undefined && from?.source.kind === 'cache' ? from.from : undefined;
  const push = { paths, to, nix, from: source, fresh: true, patience: PATIENCE, onPushed };
  const left = await pushPaths(push, { ...running, onLine });
  const report = {
    to: to.shown,
    there: paths.filter((path) => there.has(path)),
    missing: left?.missing ?? [],
  };
  return left === undefined ? report : { ...report, why: left.why };
}
