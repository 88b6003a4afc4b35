import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { alone } from './lock.ts';
import { readDebianMirror } from './mirror.ts';
import { installCommands } from './packages.ts';
import { cacheDirectory } from './paths.ts';
import { runOk } from './run.ts';
import { quote } from './script.ts';

/** The Debians with the Nix versions that we support. */
export const suites = ['bookworm', 'trixie', 'forky'] as const;
export type Suite = (typeof suites)[number];

/** Nix, the static busybox that builds our packages, and musl's loader for the Alpine-like root. */
const include = ['nix-bin', 'busybox-static', 'musl'];
const excluded = ['doc', 'man', 'info', 'locale'].map((name) => `path-exclude=/usr/share/${name}/*`);

const tarballs = new Map<Suite, Promise<string>>();

/** A root file system with Debian's Nix, made once per clone. */
export function baseTarball(suite: Suite): Promise<string> {
  const args = mmdebstrapArguments(suite, 'essential', include);
  const file = join(cacheDirectory, 'bases', `${suite}-${fingerprint(args)}.tar`);
  const ensure = async (): Promise<string> => {
    if (!existsSync(file)) await makeTarball(suite, file, args);
    return file;
  };
  return tarballs.getOrInsertComputed(suite, () => alone(`tarball-${suite}`, ensure));
}

/** One that boots by itself, with systemd and nix-daemon as a service of it. */
export const systemdTarball = (): Promise<string> =>
  moreTarball('systemd', ['nix-setup-systemd', 'systemd-sysv', 'udev']);

/** With the supervisors that people have in containers. */
export const peersTarball = (): Promise<string> => moreTarball('peers', [...peers, 'mount', 'libatomic1']);

/** Debian's packages of them. */
export const peers = ['tini', 'dumb-init', 'catatonit', 's6', 'supervisor', 'runit'];

/** Trixie's root with more packages. */
async function moreTarball(name: string, packages: string[]): Promise<string> {
  const base = await baseTarball('trixie');
  const args = mmdebstrapArguments('trixie', 'custom', packages);
  const file = join(cacheDirectory, 'bases', `${name}-${fingerprint([basename(base), args])}.tar`);
  await alone(`tarball-${name}`, async () => {
    if (existsSync(file)) return;
    const unpack = `--setup-hook=tar -C "$1" -xf ${quote(base)}`;
    await makeTarball('trixie', file, [...args, unpack], name);
  });
  return file;
}

/** The same unpacked, once per clone; to be read only. */
export const baseRoot = async (suite: Suite): Promise<string> => unpacked(suite, await baseTarball(suite));

/** The same of the supervisors' root. */
export const peersRoot = async (): Promise<string> => unpacked('peers', await peersTarball());

async function unpacked(name: string, tarball: string): Promise<string> {
  const root = join(cacheDirectory, 'roots', basename(tarball, '.tar'));
  await alone(`root-${name}`, async () => {
    if (existsSync(root)) return;
    await removeOlder(name, dirname(root));
    const unfinished = `${root}.unfinished`;
    await mkdir(unfinished, { recursive: true });
    await runOk('tar', ['-C', unfinished, '-xf', tarball, '--exclude=./dev/*']);
    await rename(unfinished, root);
  });
  return root;
}

async function makeTarball(suite: Suite, file: string, args: string[], name: string = suite): Promise<void> {
  await installCommands({ mmdebstrap: 'mmdebstrap' });
  console.log(`Making a Debian ${suite} root with its Nix (kept in .cache/ for the next time)`);
  await removeOlder(name, dirname(file));
  const unfinished = `${file}.unfinished.tar`;
  try {
    await runOk('mmdebstrap', [...args, suite, unfinished, readDebianMirror()]);
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}

function mmdebstrapArguments(suite: Suite, variant: string, packages: string[]): string[] {
  // A testing suite behind a mirror that is not refreshed: its Release file may be past its date.
  const expired = suite === 'forky' ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : [];
  return [
    ...['--quiet', `--variant=${variant}`, `--include=${packages.join(',')}`],
    ...['--aptopt=Acquire::Languages "none"', ...expired],
    ...excluded.map((option) => `--dpkgopt=${option}`),
  ];
}

async function removeOlder(prefix: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory)) {
    if (name.startsWith(`${prefix}-`)) await rm(join(directory, name), { recursive: true });
  }
}

function fingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
