import { contenders, makeContendersMachine } from './contenders.ts';
import type { Measurement } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, spreadOf } from './statistics.ts';
import { timeToOutput } from './timed.ts';

/** How long until the command has nix-daemon's answer: the store mounted, the daemon and the command run by a supervisor. */
export const daemon: Measurement = {
  name: 'daemon',
  rounds: { full: 30, quick: 5 },
  async run({ rounds }) {
    await using machine = await makeContendersMachine();
    const runs = await inTurns(contenders, { rounds, warmUp: 2 }, ({ command }) =>
      timeToOutput(machine, command),
    );
    const others = contenders.filter(({ name }) => name !== 'init');
    return {
      rounds,
      sections: {
        milliseconds: {
          title: 'milliseconds from exec until nix-daemon has answered the command',
          digits: 1,
          rows: contenders.map(({ name, what }) => ({ name, what, ...spreadOf(runs(name)) })),
        },
        ratios: {
          title: 'ratios within the rounds',
          digits: 2,
          rows: others.map(({ name, what }) => ({
            name: `init/${name}`,
            what: `against the recipe and ${what}`,
            ...spreadOf(pairedRatios(runs('init'), runs(name))),
          })),
        },
      },
    };
  },
};
