import type { CommandLine } from '../config/flags.ts';
import { ask } from '../control/client.ts';
import { interruptible } from './interruptible.ts';

/** Has init end everything, as `docker stop` would; it is under way when this returns. */
export function runStop(_: CommandLine): Promise<number> {
  return interruptible(async (signal) => {
    await ask({ do: 'stop' }, { signal });
    return 0;
  });
}
