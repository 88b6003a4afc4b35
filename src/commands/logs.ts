import * as z from 'zod/mini';
import type { CommandLine } from '../config/flags.ts';
import { ask } from '../control/client.ts';
import { usageError } from '../errors.ts';
import { printOut } from '../log.ts';
import { interruptible } from './interruptible.ts';
import { printSchema } from './json.ts';

const DEFAULT_LAST = '100';

/** A line of `logs --json`. */
export const entrySchema = z.strictObject({
  time: z.iso.datetime(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  message: z.string(),
  fields: z.optional(z.record(z.string(), z.unknown())),
});

/** Shows what init had to say lately, whatever the log level, and what nix-daemon said. */
export async function runLogs({ switches, values }: CommandLine): Promise<number> {
  if (switches.has('schema')) return printSchema('logs', entrySchema);
  const text = values.get('last') ?? DEFAULT_LAST;
  const last = Number(text);
  if (!/^\d{1,9}$/.test(text))
    throw usageError(`--last ${text} is no number`, 'say how many, such as --last 20');
  const show = switches.has('json') ? JSON.stringify : readable;
  return interruptible(async (signal) => {
    const onItem = (item: unknown): void => printOut(`${show(entrySchema.parse(item))}\n`);
    await ask({ do: 'logs', last, follow: switches.has('follow') }, { signal, onItem });
    return 0;
  });
}

function readable({ time, level, message, fields = {} }: z.output<typeof entrySchema>): string {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${time} ${level.padEnd(5)} ${message}${rest.join('')}`;
}
