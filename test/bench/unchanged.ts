import { join } from 'node:path';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { overlay } from '../harness/namespaceStore.ts';
import type { BigGround } from './bigGround.ts';
import { type BigMachine, makeBigMachine, makeVolumeFile } from './bigMachine.ts';
import type { Measurement, Row } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, spreadOf } from './statistics.ts';
import { main, type Run, time } from './timed.ts';

const FEW = 100;

/** A boot on the image of the last time: it must not matter how much is in it. */
export const unchanged: Measurement = {
  name: 'unchanged',
  rounds: { full: 200, quick: 20 },
  async run({ rounds, quick, ground }) {
    const many = quick ? 10_000 : 100_000;
    await using few = await warmMachine(ground, FEW);
    await using lots = await warmMachine(ground, many);
    const contenders = [
      { name: 'many', what: `${many} valid paths`, big: lots },
      { name: 'few', what: `${FEW} valid paths`, big: few },
    ];
    const runs = await inTurns(contenders, { rounds, warmUp: 5 }, ({ big }) =>
      time(big.machine, ['/init', ...overlay(...main)]),
    );
    const of = (name: string, part: keyof Run): number[] => runs(name).map((run) => run[part]);
    const ratio = (part: keyof Run, what: string): Row => ({
      name: 'many/few',
      what,
      ...spreadOf(pairedRatios(of('many', part), of('few', part))),
    });
    return {
      rounds,
      sections: {
        milliseconds: {
          title: 'milliseconds from exec to the end of the command, on a volume that was booted on before',
          digits: 1,
          rows: contenders.map(({ name, what }) => ({ name, what, ...spreadOf(of(name, 'command')) })),
        },
        ratios: {
          title: 'ratios within the rounds',
          digits: 3,
          rows: [
            ratio('command', 'to the end of the command'),
            ratio('all', 'to the end of PID 1'),
            ratio('cpu', 'processor time'),
          ],
        },
      },
    };
  },
};

async function warmMachine(ground: BigGround, rows: number): Promise<BigMachine> {
  const { old } = await ground.images(rows);
  const directory = await ground.directory(`unchanged-${rows}`);
  const big = await makeBigMachine(directory);
  await big.insert(old);
  await big.attach(await makeVolumeFile(join(directory, 'volume.ext4')));
  // The second finds the volume as the first has left it, and is the last to write to it.
  for (let boots = 0; boots < 2; boots += 1) {
    const { exitCode, stderr } = await bootInNamespace(big.machine, { args: overlay('true') });
    if (exitCode !== 0) throw new Error(`a boot failed: ${stderr}`);
  }
  return big;
}
