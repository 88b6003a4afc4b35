import { connect } from 'node:net';
import { MOST_REQUEST_BYTES } from '../../src/control/protocol.ts';
import { connectControl, controlOf } from '../harness/controlClient.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { idle, type RunningBoot, startRunningBoot } from '../harness/runningBoot.ts';
import type { Measurement, Row } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { spreadOf } from './statistics.ts';

const ORPHANS = 50;
const CLIENTS = 64;

/** What clients do to the control socket meanwhile, again and again. */
const messages = {
  quiet: undefined,
  garbage: Buffer.alloc(64 * 1024, 'x'),
  requests: Buffer.from(
    `{"v":1,"do":"logs","last":500,"follow":false}${' '.repeat(MOST_REQUEST_BYTES - 100)}\n`,
  ),
} as const;

const contenders = Object.entries(messages).map(([name, bytes]) => ({ name, bytes }));

/** How much later orphans are reaped while clients do their worst. */
export const hostile: Measurement = {
  name: 'hostile',
  rounds: { full: 40, quick: 5 },
  async run({ rounds }) {
    await using machine = await makeMachine({ volume: 'none' });
    await using boot = await startRunningBoot(machine, { args: ['--strategy=none', ...idle] });
    (await connectControl(controlOf(machine))).destroy();
    const runs = await inTurns(contenders, { rounds, warmUp: 1 }, async ({ bytes }) => {
      const stop = bytes === undefined ? () => {} : hammer(controlOf(machine), bytes);
      try {
        return await lateness(boot);
      } finally {
        stop();
      }
    });
    const rows = contenders.map(
      ({ name, bytes }): Row => ({
        name,
        what:
          bytes === undefined ? 'nobody asks' : `${CLIENTS} clients at a time, ${bytes.length} bytes each`,
        ...spreadOf(runs(name)),
      }),
    );
    const title = `${ORPHANS} orphans, from the last end to the last one reaped, milliseconds`;
    return { rounds, sections: { milliseconds: { title, digits: 1, rows } } };
  },
};

async function lateness(boot: RunningBoot): Promise<number> {
  const [ended = Number.NaN, reaped = Number.NaN] = (
    await boot.shell(`perl /programs/orphans.pl ${ORPHANS} time`)
  )
    .split(' ')
    .map(Number);
  return reaped - ended;
}

/** Each client sends, is answered or hung up on, and is followed by another. @returns what stops it. */
function hammer(path: string, bytes: Buffer): () => void {
  let stopped = false;
  const begin = (): void => {
    if (stopped) return;
    connect(path)
      .on('error', () => {})
      .on('close', () => setImmediate(begin))
      .on('data', () => {})
      .write(bytes);
  };
  for (let count = 0; count < CLIENTS; count += 1) begin();
  return () => {
    stopped = true;
  };
}
