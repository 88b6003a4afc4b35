import assert from 'node:assert/strict';
import { docker, dockerOk, label, runId, uniqueName } from './docker.ts';
import { nixImage } from './images.ts';
import type { Outcome } from './run.ts';

export interface Volume extends AsyncDisposable {
  name: string;
  /** Looks into the volume, or changes it, from a container in which no init of ours runs. */
  shell(script: string): Promise<Outcome>;
}

/** A named volume, removed at the end of the block. */
export async function makeVolume(...flags: string[]): Promise<Volume> {
  const name = uniqueName('volume');
  await dockerOk('volume', 'create', '--label', `${label}=${runId}`, ...flags, name);
  return {
    name,
    shell: async (script) => bare(await nixImage(), ['sh', '-euc', script], '-v', `${name}:/nix-cache`),
    async [Symbol.asyncDispose]() {
      await docker('volume', 'rm', '-f', name);
    },
  };
}

/** What in the volume's upper/ hides something of the image, at any depth; relative to it. */
export function whiteouts(volume: Volume): Promise<string[]> {
  return listUpper(volume, '-type c');
}

/** The store paths in the volume's upper/: what was added, and copies of the image's. */
export async function upperPaths(volume: Volume): Promise<string[]> {
  const names = await listUpper(volume, '-mindepth 1 -maxdepth 1 -name "*-*" -not -type c');
  return names.map((name) => `/nix/store/${name}`);
}

/** Bytes on the disk below a directory of the volume, by name of its entries; `.`: in all. */
export async function diskUsage(volume: Volume, directory: string): Promise<Record<string, number>> {
  const { exitCode, stdout, stderr } = await volume.shell(
    `cd /nix-cache/${directory}; du --block-size=1 --all --max-depth=1`,
  );
  assert.equal(exitCode, 0, stderr);
  const lines = stdout.split('\n').map((line) => line.split('\t'));
  return Object.fromEntries(lines.map(([size, name = '']) => [name.replace('./', ''), Number(size)]));
}

async function listUpper(volume: Volume, which: string): Promise<string[]> {
  const { exitCode, stdout, stderr } = await volume.shell(`find /nix-cache/upper ${which} -printf '%P\\n'`);
  assert.equal(exitCode, 0, stderr);
  return stdout.split('\n').filter((path) => path !== '');
}

/** The image without its init. */
export function bare(image: string, command: string[], ...flags: string[]): Promise<Outcome> {
  const [file = 'true', ...args] = command;
  const limits = ['--rm', '--label', `${label}=${runId}`, '--network', 'none'];
  return docker('run', ...limits, ...flags, '--entrypoint', file, image, ...args);
}
