import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Suite } from './base.ts';
import { allOutput, type Boot, boot, type Container, startIdle } from './container.ts';
import { nixImage } from './images.ts';
import { fixtures } from './paths.ts';
import type { Outcome } from './run.ts';
import { makeVolume, type Volume } from './volume.ts';

/** The two ways to have a store without mounting: at the place its paths name, and for a chroot. */
export const kinds = {
  // Not /opt itself, where init is.
  prefix: { cacheDir: '/opt/nix', storeDir: '/opt/nix/store', real: '/opt/nix/store' },
  chroot: { cacheDir: '/nix-cache', storeDir: '/nix/store', real: '/nix-cache/root/nix/store' },
} as const;

export type Kind = keyof typeof kinds;

export interface Run {
  /** A volume at /cache: a binary cache. */
  cache?: Volume;
  suite?: Suite;
  user?: 'alice' | 'root';
  flags?: string[];
}

/** A volume with a store of its own, and containers that come and go on it, with no privilege at all. */
export interface PrefixGround extends AsyncDisposable {
  volume: Volume;
  /** Runs a shell script as the main command. */
  run(script: string, options?: Run): Promise<Outcome>;
  /** The same for one that must succeed; what it says, trimmed. */
  ok(script: string, options?: Run): Promise<string>;
  start(options?: Run): Promise<Container>;
}

export async function makePrefixGround(kind: Kind, owner: 'alice' | 'root' = 'alice'): Promise<PrefixGround> {
  const volume = await makeVolume();
  if (owner === 'alice') await give(volume, '1000:1000');
  const { cacheDir, storeDir } = kinds[kind];
  const options = async ({
    cache,
    suite,
    user = owner,
    flags = [],
  }: Run): Promise<Omit<Boot, 'command'>> => ({
    image: await nixImage(suite),
    grant: 'nothing',
    env: {
      NIX_CACHE_INIT_STRATEGY: 'prefix',
      NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail',
      NIX_CACHE_INIT_CACHE_DIR: cacheDir,
      NIX_CACHE_INIT_STORE_DIR: storeDir,
      NIX_CACHE_INIT_LOG_LEVEL: 'info',
    },
    flags: [
      ...['-v', `${volume.name}:${cacheDir}`, ...toolsMount],
      ...(cache === undefined ? [] : ['-v', `${cache.name}:/cache`]),
      ...['--cap-drop', 'ALL', ...(user === 'alice' ? ['--user', '1000:1000'] : [])],
      ...flags,
    ],
  });
  const run: PrefixGround['run'] = async (script, how = {}) =>
    boot({ ...(await options(how)), command: ['sh', '-euc', script] });
  return {
    volume,
    run,
    ok: async (script, how) => {
      const { exitCode, stdout, stderr } = await run(script, how);
      assert.equal(exitCode, 0, stderr);
      return stdout.trim();
    },
    start: async (how = {}) => startIdle(await options(how)),
    [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
  };
}

/** Makes a volume somebody's, as the refusal of one that is not says. */
export async function give(volume: Volume, owner: string): Promise<void> {
  const { exitCode, stderr } = await volume.shell(`chown ${owner} /nix-cache`);
  assert.equal(exitCode, 0, stderr);
}

/** The flags of `docker exec` that init names for shells, as it says them. */
export async function announcedFlags(container: Container): Promise<string[]> {
  const text = allOutput(await container.logs());
  const [, flags = ''] = /docker exec (-e .*) CONTAINER COMMAND/.exec(text) ?? [];
  assert.notEqual(flags, '', text);
  // As a shell would split them; none has a quote of its own.
  return Array.from(flags.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '');
}

/** Takes a package from the binary cache at /cache, whoever made that. */
export const fromCache =
  '--option substituters file:///cache --option require-sigs false --option narinfo-cache-negative-ttl 0';

/** Where the expressions for `buildTool` are. */
export const toolsMount = ['-v', `${join(fixtures, 'prefix')}:/tools:ro`];

/** Builds a package and copies it into the binary cache at /cache; says its path. */
export const publishTool = (name: string): string =>
  `path=$(${buildTool(name)}); nix --extra-experimental-features nix-command copy --to file:///cache $path; echo $path`;

export const buildTool = (name: string, more = ''): string =>
  `nix-build /tools/tools.nix -A ${name} --no-out-link ${more}`;

/** Says what the variables of a package's environment say; without a network there is no registry to ask for nixpkgs' own bash. */
export const develop = (more = ''): string =>
  `nix --extra-experimental-features 'nix-command flakes' --option flake-registry '' ${more} \
    develop -f /tools/tools.nix environment -c sh -c 'echo $GREETING'`;

/** That a build found everything, and its path. */
export function assertThere({ exitCode, stdout, stderr }: Outcome): string {
  assert.equal(exitCode, 0, stderr);
  assert.doesNotMatch(stderr, /building '|will be (built|fetched)|copying path/);
  return stdout.trim();
}
