import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeTree } from '../../linux/remove.ts';
import { occupyDirectory } from '../../volume/idle.ts';

const RETRY_MS = 20;

/**
 * Does something in a directory of a fixed name that is its own meanwhile, and removed after it: what a kill leaves, the next
 * one finds, or a boot. Another doctor has to wait.
 * @throws {SystemError} why the directory cannot be made; `signal.reason` when aborted.
 */
export async function inScratch<T>(path: string, signal: AbortSignal, act: () => T): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const directory = occupyDirectory(path);
    if (directory === undefined) {
      await sleep(RETRY_MS);
      continue;
    }
    try {
      return act();
    } finally {
      removeTree(path);
      closeSync(directory);
    }
  }
}

/** An empty file. */
export function touch(path: string): void {
  closeSync(openSync(path, 'w', 0o600));
}
