import type { CommandLine } from '../config/flags.ts';
import { ask } from '../control/client.ts';
import { hasErrno } from '../errors.ts';

/** Has init end everything, as `docker stop` would; it is under way when this returns. */
export async function runStop(_: CommandLine): Promise<number> {
  // Everything that ends: so does who asked for it, and that is no failure.
  process.on('SIGTERM', () => {});
  try {
    await ask({ do: 'stop' }, { signal: new AbortController().signal });
  } catch (error) {
    if (!hasErrno(error, 'ECONNRESET')) throw error;
  }
  return 0;
}
