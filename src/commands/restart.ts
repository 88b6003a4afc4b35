import * as z from 'zod/mini';
import type { CommandLine } from '../config/flags.ts';
import { ask } from '../control/client.ts';
import { Exit, InitError, usageError } from '../errors.ts';
import { printOut } from '../log.ts';
import { interruptible } from './interruptible.ts';
import { printJson, printSchema } from './json.ts';

const restartedSchema = z.strictObject({ service: z.string(), pid: z.int() });

/** Ends a service and starts it again. */
export async function runRestart({ rest, switches }: CommandLine): Promise<number> {
  if (switches.has('schema')) return printSchema('restart', restartedSchema);
  const [service, ...more] = rest;
  if (service === undefined || more.length > 0)
    throw usageError('restart takes one service', 'say nix-cache-init restart nix-daemon');
  return interruptible(async (signal) => {
    const { pid } = (await ask({ do: 'restart', service }, { signal })) as { pid: number | null };
    if (pid === null)
      throw new InitError({
        stage: 'service',
        what: `service ${service} does not start`,
        errno: 'EAGAIN',
        remedy: 'see nix-cache-init logs; it is tried again',
        exitCode: Exit.io,
      });
    if (switches.has('json')) printJson({ service, pid });
    else printOut(`${service} runs, PID ${pid}\n`);
    return 0;
  });
}
