import type { CommandLine } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { toInitError } from '../errors.ts';
import { mountHere } from '../hook/mount.ts';
import { createLog, logWritten } from '../log.ts';
import { interruptible } from './interruptible.ts';

/** Mounts the volume under the store of this machine and ends; its own init does the rest. */
export function runMount({ flags, file }: CommandLine): Promise<number> {
  return interruptible(async (signal) => {
    const { config } = await loadConfig({ flags, file, env: process.env });
    try {
      await mountHere({ config, log: createLog(config), signal });
      return 0;
    } catch (error) {
      signal.throwIfAborted();
      throw toInitError(error, 'mount', `cannot mount ${config.cacheDir} under ${config.storeDir}`);
    } finally {
      await logWritten();
    }
  });
}
