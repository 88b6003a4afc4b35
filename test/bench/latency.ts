import type { Measurement, Row } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, quantile, spreadOf } from './statistics.ts';
import { makeSupervisorMachine, numbersUnder, supervisors } from './supervisors.ts';

const SIGNALS = 200;

/** From kill(2) on PID 1 to the handler in the main command, which sends them itself: one clock. */
export const latency: Measurement = {
  name: 'latency',
  rounds: { full: 15, quick: 3 },
  async run({ rounds }) {
    await using machine = await makeSupervisorMachine();
    const took = await inTurns(supervisors, { rounds, warmUp: 1 }, (supervisor) =>
      numbersUnder(machine, supervisor, 'signal-latency.pl', `${SIGNALS}`),
    );
    const medians = (name: string): number[] => took(name).map((values) => quantile(values, 0.5));
    return {
      rounds,
      sections: {
        microseconds: {
          title: `${rounds * SIGNALS} signals each, microseconds from kill to handler`,
          digits: 0,
          rows: supervisors.map(({ name, what }): Row => ({ name, what, ...spreadOf(took(name).flat()) })),
        },
        ratios: {
          title: 'ratios of the medians within the rounds',
          digits: 2,
          rows: [
            {
              name: 'init/tini',
              what: 'kill to handler',
              ...spreadOf(pairedRatios(medians('init'), medians('tini'))),
            },
          ],
        },
      },
    };
  },
};
