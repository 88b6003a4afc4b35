import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeNode } from '../linux/before-node.ts';
import { setMainThreadMask } from '../linux/signals.ts';
import { writeStderr } from '../log.ts';
import { batches, lastLines, nixEnvironment } from '../nix/program.ts';
import { keepCommand } from './nix.ts';
import { ownFiles } from './places.ts';

/**
 * What Nix runs after each build (nix.conf, post-build-hook): adds what was built to the binary cache. A hook that fails would
 * fail the build, so whatever goes wrong here is said and no more: init tries it again.
 * @param name as it was called: what it needs to know is beside it.
 * @returns always 0.
 */
export function postBuildHook(name: string): number {
  try {
    // A Ctrl-C on the build is meant for this, too.
    setMainThreadMask(beforeNode.blocked);
    const paths = (process.env['OUT_PATHS'] ?? '').split(/\s+/).filter((path) => path !== '');
    const request = readRequest(ownFiles(dirname(name)).hookRequest);
    for (const batch of batches(paths)) copy(keepCommand(request, batch));
  } catch (error) {
    writeStderr(`nix-cache-init: not in the binary cache yet: ${String(error)}\n`);
  }
  return 0;
}

function copy([file, ...args]: [string, ...string[]]): void {
  const { status, signal, error, stderr } = spawnSync(file, args, {
    env: { ...process.env, ...nixEnvironment() },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${file}: ${signal ?? `status ${status}`}: ${lastLines(stderr)}`);
}

function readRequest(path: string): { nix: string; cache: string; key: string } {
  const { nix, cache, key } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  if (typeof nix !== 'string' || typeof cache !== 'string' || typeof key !== 'string')
    throw new TypeError(`${path} is not as it was written`);
  return { nix, cache, key };
}
