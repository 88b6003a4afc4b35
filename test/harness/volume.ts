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
    shell: async (script) =>
      outside(await nixImage(), ['sh', '-euc', script], ['--network', 'host', '-v', `${name}:/nix-cache`]),
    async [Symbol.asyncDispose]() {
      await docker('volume', 'rm', '-f', name);
    },
  };
}

/** For `makeVolume`: in memory. Somebody has to hold it, or it is a new one for every container. */
export const tmpfs = (options: string): string[] => [
  ...['-o', 'type=tmpfs', '-o', 'device=tmpfs'],
  ...['-o', `o=${options}`],
];

/**
 * What a volume holds, a line a name and one for what each file contains. The lock names who asked for it last, and a
 * directory's time tells no more than its names.
 * @param leaveOut further lines to leave out.
 */
export async function listContents(volume: Volume, leaveOut?: RegExp): Promise<string[]> {
  const { exitCode, stdout, stderr } = await volume.shell(`cd /nix-cache
    find . -type d -printf '%P %y %m %U:%G\\n' -o -printf '%P %y %m %U:%G %T@ %l\\n'
    find . -type f -exec sha256sum {} +`);
  assert.equal(exitCode, 0, stderr);
  const lines = stdout.split('\n');
  return lines
    .filter((line) => !line.includes('.nix-cache-init/lock') && leaveOut?.test(line) !== true)
    .sort();
}

/** The image without its init. */
export function bare(image: string, command: string[], ...flags: string[]): Promise<Outcome> {
  return outside(image, command, ['--network', 'none', ...flags]);
}

function outside(image: string, [file = 'true', ...args]: string[], flags: string[]): Promise<Outcome> {
  const ours = ['--rm', '--label', `${label}=${runId}`];
  return docker('run', ...ours, ...flags, '--entrypoint', file, image, ...args);
}
