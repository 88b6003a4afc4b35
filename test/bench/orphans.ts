import type { Measurement, Row } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, spreadOf } from './statistics.ts';
import { makeSupervisorMachine, numbersUnder, supervisors } from './supervisors.ts';

const parts = {
  reaped: 'to the last one reaped',
  late: 'from the last end to the last one reaped',
} as const;
type Part = keyof typeof parts;

/** From the moment at which all of many orphans are let go until PID 1 has none left. */
export const orphans: Measurement = {
  name: 'orphans',
  rounds: { full: 9, quick: 3 },
  async run({ rounds, quick }) {
    const count = quick ? 2_000 : 10_000;
    await using machine = await makeSupervisorMachine();
    const runs = await inTurns(supervisors, { rounds, warmUp: 1 }, async (supervisor) => {
      const numbers = await numbersUnder(machine, supervisor, 'orphans.pl', `${count}`, 'time');
      const [ended = Number.NaN, reaped = Number.NaN] = numbers;
      return { reaped, late: reaped - ended };
    });
    const of = (name: string, part: Part): number[] => runs(name).map((run) => run[part]);
    const each = Object.entries(parts) as [Part, string][];
    const milliseconds = supervisors.flatMap(({ name, what }) =>
      each.map(([part, how]): Row => ({ name, what: `${what}: ${how}`, ...spreadOf(of(name, part)) })),
    );
    const ratio = spreadOf(pairedRatios(of('init', 'reaped'), of('tini', 'reaped')));
    return {
      rounds,
      sections: {
        milliseconds: {
          title: `${count} orphans let go at once, milliseconds`,
          digits: 1,
          rows: milliseconds,
        },
        ratios: {
          title: 'ratios within the rounds',
          digits: 2,
          rows: [{ name: 'init/tini', what: parts.reaped, ...ratio, usual: 1 }],
        },
      },
    };
  },
};
