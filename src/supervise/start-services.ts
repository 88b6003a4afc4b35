import { uptime } from '../linux/clock.ts';
import type { Log } from '../log.ts';
import type { Timeline } from '../timeline.ts';
import type { Service } from './service.ts';
import { startTimer } from './timer.ts';

/**
 * Starts services one after the other, each when the one before is ready, has taken too long to be, or is over.
 * @throws `signal.reason` when aborted; what was started runs on.
 */
export async function startServices(
  services: readonly Service[],
  { signal, log, timeline }: { signal: AbortSignal; log: Log; timeline: Timeline },
): Promise<void> {
  for (const service of services) {
    signal.throwIfAborted();
    const started = uptime();
    service.start();
    const outcome = await outcomeOf(service, signal);
    const { name, readiness } = service.definition;
    timeline.service(name, readiness === undefined ? 'started' : outcome, started);
    if (readiness === undefined) continue;
    if (outcome === 'ready') log.info(`service ${name} is ready`, { ms: Math.round(uptime() - started) });
    else log.error(`service ${name} ${outcome}, going on without it`);
  }
  signal.throwIfAborted();
}

/** Ready, or what keeps it from being so. */
type Outcome =
  | 'ready'
  | `is not ready after ${number} ms`
  | 'ended before it was ready'
  | `cannot be watched: ${string}`;

async function outcomeOf({ over, definition }: Service, signal: AbortSignal): Promise<Outcome> {
  const { readiness } = definition;
  if (readiness === undefined) return 'ready';
  const decided = Promise.withResolvers<Outcome>();
  const aborted = (): void => decided.reject(signal.reason);
  const { timeoutMs } = readiness;
  const timer = startTimer(() => decided.resolve(`is not ready after ${timeoutMs} ms`), timeoutMs);
  signal.addEventListener('abort', aborted);
  const failed = (error: unknown): void => decided.resolve(`cannot be watched: ${String(error)}`);
  readiness.wait().then(() => decided.resolve('ready'), failed);
  over.then(() => decided.resolve('ended before it was ready'));
  try {
    return await decided.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', aborted);
    readiness.close();
  }
}
