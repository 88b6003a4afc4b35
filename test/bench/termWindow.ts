import { termAfter } from '../harness/termAfter.ts';
import type { Measurement, Row } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { quantile } from './statistics.ts';
import { makeSupervisorMachine, type Supervisor, supervisors } from './supervisors.ts';

const delays = [0, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 8];
/** What the main command says when nobody told it to end. */
const LOST = 9;
const main = ['sh', '-c', `sleep 0.2; exit ${LOST}`];

/** The time from exec in which a TERM is lost on PID 1, because nothing that catches it runs yet. */
export const termWindow: Measurement = {
  name: 'term-window',
  rounds: { full: 40, quick: 5 },
  async run({ rounds }) {
    await using machine = await makeSupervisorMachine();
    const attempts = delays.flatMap((delay) =>
      supervisors.map((supervisor) => ({ name: key(supervisor, delay), delay, supervisor })),
    );
    const outcomes = await inTurns(attempts, { rounds, warmUp: 1 }, async ({ delay, supervisor }) => {
      const outcome = await termAfter(machine, delay, supervisor.over(...main));
      if (outcome.status !== 143 && outcome.status !== LOST)
        throw new Error(`TERM after ${delay} ms: status ${outcome.status}: ${outcome.stderr}`);
      return outcome;
    });
    const rows = attempts.map(({ name, delay, supervisor }): Row => {
      const of = outcomes(name);
      const sent = quantile(
        of.map(({ sentMs }) => sentMs),
        0.5,
      );
      return {
        name: supervisor.name,
        what: `TERM ${delay} ms after exec (really ${sent.toFixed(2)})`,
        lost: of.filter(({ status }) => status === LOST).length,
        of: of.length,
      };
    });
    return { rounds, sections: { lost: { title: 'TERM to a PID 1 that just started', digits: 0, rows } } };
  },
};

const key = ({ name }: Supervisor, delay: number): string => `${name} ${delay}`;
