import { NIX_DAEMON } from '../config/services.ts';
import { Exit, InitError } from '../errors.ts';
import type { Entry } from '../journal.ts';
import { sendSignal } from '../linux/process.ts';
import type { Service } from '../supervise/service.ts';
import type { Running } from '../supervise/supervise.ts';
import type { Request, RequestName } from './protocol.ts';
import { runCommand } from './run-command.ts';
import { type BootFacts, initStatus } from './status.ts';

/** What the server needs of the running init. */
export type Handlers = {
  boot: BootFacts;
  running: Running;
  /** When the command was started. */
  since: Date;
};

type Conversation = {
  /** Says something before the end. */
  say(item: unknown): void;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
};

type Asked<N extends RequestName> = Extract<Request, { do: N }>;

const statusOf = ({ boot, running, since }: Handlers): unknown => initStatus(boot, running, since);

const answers: {
  [N in RequestName]: (handlers: Handlers, request: Asked<N>, with_: Conversation) => unknown;
} = {
  status: statusOf,
  // Nobody is answered before the command runs.
  wait: statusOf,
  stop: () => void sendSignal(process.pid, 'SIGTERM'),
  restart: async (
    {
      boot: {
        loaded: { config },
      },
      running: { services },
    },
    { service: name },
  ) => {
    const service = services.find(({ definition }) => definition.name === name);
    if (service === undefined) throw unknownService(name, services);
    await service.restart(config['shutdown.grace']);
    return { pid: service.pid ?? null };
  },
  logs: async ({ boot: { journal } }, { last, follow }, { say, signal }) => {
    for (const entry of last === 0 ? [] : journal.entries.slice(-last)) say(shown(entry));
    if (!follow) return;
    const stop = journal.onEntry((entry) => say(shown(entry)));
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    stop();
  },
  gc: ({ boot }, { maxSize, olderThan, dryRun }, { say, signal }) =>
    runCommand(
      [
        'gc',
        ...(maxSize === undefined ? [] : [`--max-size=${maxSize}`]),
        ...(olderThan === undefined ? [] : [`--older-than=${olderThan}`]),
        ...(dryRun === true ? ['--dry-run'] : []),
      ],
      { say, signal, ...childOf(boot) },
    ),
  check: ({ boot }, { contents, repair }, { say, signal }) =>
    runCommand(
      ['check', ...(contents === true ? ['--contents'] : []), ...(repair === true ? ['--repair'] : [])],
      { say, signal, ...childOf(boot) },
    ),
};

const childOf = ({ reaper, loaded }: BootFacts) => ({
  exitOf: (pid: number) => reaper.exitOf(pid),
  loaded,
});

/** Does what was asked. @throws {InitError} with what is to be told to the client. */
export async function handle(handlers: Handlers, request: Request, with_: Conversation): Promise<unknown> {
  const answer = answers[request.do] as (
    handlers: Handlers,
    request: Request,
    with_: Conversation,
  ) => unknown;
  return await answer(handlers, request, with_);
}

const shown = ({ time, level, message, fields }: Entry) => ({
  time: new Date(time).toISOString(),
  level,
  message,
  ...(Object.keys(fields).length === 0 ? {} : { fields }),
});

function unknownService(name: string, services: readonly Service[]): InitError {
  const names = services.map(({ definition }) => definition.name);
  return new InitError({
    stage: 'service',
    what: `there is no service ${name}`,
    errno: 'ENOENT',
    remedy:
      names.length > 0
        ? `say one of: ${names.join(', ')}`
        : `none runs here: configure services, or an image with ${NIX_DAEMON}`,
    exitCode: Exit.usage,
  });
}
