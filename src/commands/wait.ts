import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import type { CommandLine } from '../config/flags.ts';
import { parseDuration } from '../config/units.ts';
import { ask } from '../control/client.ts';
import { readFailure } from '../control/failure.ts';
import { type InitStatus, initStatusSchema } from '../control/status-schema.ts';
import { Exit, InitError, usageError } from '../errors.ts';
import { uptime } from '../linux/clock.ts';
import { writeStderr } from '../log.ts';
import { type DaemonHello, helloDaemon } from '../nix/hello.ts';
import { interruptible } from './interruptible.ts';
import { printJson, printSchema } from './json.ts';

const DEFAULT_TIMEOUT = '60s';
const RETRY_MS = 50;
/** For one hello: nothing else can be done meanwhile. */
const HELLO_MS = 2000;

const waitSchema = z.strictObject({
  strategy: z.string(),
  /** Why those before it were not taken. */
  passedOver: z.array(z.string()),
  /** Null: there is none to wait for; its version is null where that does not say. */
  daemon: z.nullable(z.strictObject({ nix: z.nullable(z.string()) })),
});

/** Returns when the store is there and nix-daemon answers; for what follows `docker run -d` at once. */
export async function runWait({ switches, values }: CommandLine): Promise<number> {
  if (switches.has('schema')) return printSchema('wait', waitSchema);
  const until = uptime() + parseTimeout(values.get('timeout') ?? DEFAULT_TIMEOUT);
  return interruptible(async (signal) => {
    const status = await untilAnswered(until, signal);
    const daemon = await untilDaemon(status, until, signal);
    const { name, passedOver } = status.strategy;
    if (switches.has('json'))
      printJson({ strategy: name, passedOver, daemon: daemon && { nix: daemon.nixVersion } });
    // To be seen by who wonders why nothing is kept.
    else for (const why of passedOver) writeStderr(`nix-cache-init: strategy ${name}: ${why}\n`);
    return 0;
  });
}

/** DESIGN §4.1 has seconds; a unit may be said. */
function parseTimeout(text: string): number {
  const ms = parseDuration(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
  if (ms === undefined)
    throw usageError(`--timeout ${text} is no time`, 'say seconds, or a time such as 90s or 2m');
  return ms;
}

async function untilAnswered(until: number, signal: AbortSignal): Promise<InitStatus> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, Math.ceil(until - uptime())))]);
  for (;;) {
    try {
      return initStatusSchema.parse(await ask({ do: 'wait' }, { signal: over }));
    } catch (error) {
      signal.throwIfAborted();
      if (over.aborted) throw timedOut('init is not up');
      // Not bound yet, or its queue is full, or it is ending.
      if (
        !(error instanceof InitError) ||
        !['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EAGAIN'].includes(error.errno)
      )
        throw error;
    }
    const failed = readFailure();
    if (failed !== undefined) throw bootFailed(failed);
    await sleep(RETRY_MS, undefined, { signal: over }).catch(() => {});
  }
}

/** @returns null: there is none to wait for. */
async function untilDaemon(
  { places: { socket } }: InitStatus,
  until: number,
  signal: AbortSignal,
): Promise<DaemonHello | null> {
  if (socket === null) return null;
  for (;;) {
    signal.throwIfAborted();
    const hello = helloDaemon(socket, Math.max(1, Math.min(HELLO_MS, until - uptime())));
    if (hello.kind === 'daemon') return hello;
    if (uptime() >= until) throw timedOut(`${socket}: ${hello.what}`);
    await sleep(RETRY_MS, undefined, { signal });
  }
}

const timedOut = (what: string): InitError =>
  new InitError({
    stage: 'wait',
    what,
    errno: 'ETIMEDOUT',
    remedy: 'see docker logs; a first boot copies, and takes longer: --timeout 5m',
    exitCode: Exit.locked,
  });

const bootFailed = ({ message, exitCode }: { message: string; exitCode: number }): InitError =>
  new InitError({
    stage: 'wait',
    what: `the boot failed: ${message}`,
    errno: 'ECANCELED',
    remedy: 'mend that, and start it again',
    exitCode: exitCode as InitError['exitCode'],
  });
