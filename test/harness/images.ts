import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { baseTarball, type Suite } from './base.ts';
import { distFingerprint } from './dist.ts';
import { docker, dockerOk, label, uniqueName } from './docker.ts';
import { alone } from './lock.ts';
import { fixtures, rootfs } from './paths.ts';

export const repositoryName = 'nix-cache-init-test';
export const asProduct = ['ENTRYPOINT ["/init"]'];
// `commit --change` knows no STOPSIGNAL, but keeps the container's.
const always = ['--network', 'none', '--entrypoint', '', '--stop-signal', 'SIGTERM'];

/** Debian with its Nix, no store yet, and nothing of ours. */
export async function baseImage(suite: Suite): Promise<string> {
  const tarball = await baseTarball(suite);
  return await image(`base-${suite}`, basename(tarball), async (tag) => {
    await dockerOk('import', ...changes(), tarball, tag);
  });
}

/** The base with a store and a database of its own (packages a, b) and a user who is not root. */
export async function storeImage(suite: Suite): Promise<string> {
  const base = await baseImage(suite);
  return await image(`store-${suite}`, `${base} ${await fingerprintOf('nix')}`, async (tag) => {
    await derive(tag, base, join(fixtures, 'nix'), ['/bin/sh', '/fixtures/make-store.sh']);
  });
}

/** What users have: an image with a store, and our build copied over it. */
export async function nixImage(suite: Suite = 'trixie'): Promise<string> {
  return await product(`nix-${suite}`, await storeImage(suite));
}

/** A Debian without /nix: the build alone over a distribution's root. */
export async function debianImage(): Promise<string> {
  return await product('debian', await baseImage('trixie'));
}

/** The same with the programs of the tests, at the place where they are in a machine of namespaces. */
export async function programsImage(): Promise<string> {
  const base = await baseImage('trixie');
  const tag = await image('programs-root', `${base} ${await fingerprintOf('programs')}`, (tag) =>
    derive(tag, base, join(fixtures, 'programs'), ['/bin/mv', '/fixtures', '/programs']),
  );
  return await product('programs', tag);
}

/** Copies our build over any image. */
export async function product(name: string, from: string): Promise<string> {
  return await image(name, `${from} ${await distFingerprint()}`, async (tag) => {
    await commit(tag, from, (container) => dockerOk('cp', `${rootfs}/.`, `${container}:/`), asProduct);
  });
}

/** Every boot asks for its image, and every image for those below it: the engine is asked once. */
const known = new Map<string, Promise<string>>();

/** Makes an image once, whichever test file asks first. */
export function image(name: string, inputs: string, make: (tag: string) => Promise<void>): Promise<string> {
  const version = createHash('sha256').update(inputs).digest('hex').slice(0, 12);
  const tag = `${repositoryName}/${name}:${version}`;
  const ask = async (): Promise<string> => {
    if ((await docker('image', 'inspect', tag)).exitCode !== 0) await make(tag);
    return tag;
  };
  return known.getOrInsertComputed(tag, () => alone(name, ask));
}

/** Runs one command over an image, with a directory copied to /fixtures, and keeps the result. */
export async function derive(
  tag: string,
  base: string,
  directory: string,
  command: string[],
  more: string[] = [],
): Promise<void> {
  const fill = async (container: string): Promise<void> => {
    await dockerOk('cp', directory, `${container}:/fixtures`);
    await dockerOk('start', '--attach', container);
  };
  await commit(tag, base, fill, more, command);
}

/** Fills a container, which runs its command meanwhile or not at all, and keeps what it has become. */
export async function commit(
  tag: string,
  base: string,
  fill: (container: string) => Promise<unknown>,
  more: string[],
  command: string[] = ['/bin/true'],
): Promise<void> {
  const container = uniqueName('make');
  await dockerOk('create', '--name', container, ...always, base, ...command);
  try {
    await fill(container);
    await dockerOk('commit', ...changes('CMD []', ...more), container, tag);
  } finally {
    await docker('rm', '-f', '-v', container);
  }
}

export function changes(...instructions: string[]): string[] {
  return [`LABEL ${label}=image`, ...instructions].flatMap((instruction) => ['--change', instruction]);
}

/** Changes whenever a file of the fixture does. */
export async function fingerprintOf(fixture: string): Promise<string> {
  const directory = join(fixtures, fixture);
  const names = (await readdir(directory)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return createHash('sha256').update(texts.join('\0')).digest('hex');
}
