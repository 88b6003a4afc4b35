import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { installCommands } from '../harness/packages.ts';
import { repository } from '../harness/paths.ts';
import type { Measurement, Row } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, type Spread, spreadOf } from './statistics.ts';
import { type Contender, main, type Run, time } from './timed.ts';

const contenders: Contender[] = [
  {
    name: 'init',
    what: '/init as the ENTRYPOINT that nobody configured: overlay on a warm volume',
    command: ['/init', ...main],
  },
  { name: 'flags', what: 'the same, configured by flags', command: ['/init', ...overlay(...main)] },
  { name: 'plain', what: '/init, strategy none', command: ['/init', '--strategy=none', ...main] },
  { name: 'node', what: 'node empty.js', command: ['/bench/node', '/bench/empty.js'] },
  {
    name: 'tini',
    what: 'tini and the shell recipe with mount(8)',
    command: ['/usr/bin/tini', '--', '/bin/sh', '/bench/recipe.sh', ...main],
  },
  { name: 'nothing', what: 'the command alone, what the harness itself costs', command: main },
];

/** How long a boot takes, against bare Node and against tini with the shell recipe. */
export const boot: Measurement = {
  name: 'boot',
  rounds: { full: 60, quick: 10 },
  async run({ rounds }) {
    await using machine = await makeBootMachine();
    const runs = await inTurns(contenders, { rounds, warmUp: 5 }, ({ command }) => time(machine, command));
    const of = (name: string, part: keyof Run): number[] => runs(name).map((run) => run[part]);
    const ratio = (name: string, against: string, part: keyof Run): Spread =>
      spreadOf(pairedRatios(of(name, part), of(against, part)));
    const milliseconds = contenders.flatMap(({ name, what }): Row[] =>
      name === 'node' || name === 'nothing'
        ? [{ name, what, ...spreadOf(of(name, 'all')) }]
        : [
            { name, what: `${what}: to the end of the command`, ...spreadOf(of(name, 'command')) },
            { name, what: `${what}: to the end of PID 1`, ...spreadOf(of(name, 'all')) },
          ],
    );
    const ratios: Row[] = [
      {
        name: 'init/node',
        what: 'end of the command against bare node',
        ...ratio('init', 'node', 'command'),
        usual: 1.27,
      },
      {
        name: 'init/node',
        what: 'end of PID 1 against bare node',
        ...ratio('init', 'node', 'all'),
        usual: 1.46,
      },
      { name: 'flags/node', what: 'the same, configured by flags', ...ratio('flags', 'node', 'command') },
      { name: 'plain/node', what: 'the same, strategy none', ...ratio('plain', 'node', 'command') },
      { name: 'init/tini', what: 'end of the command, both', ...ratio('init', 'tini', 'command') },
    ];
    return {
      rounds,
      sections: {
        milliseconds: { title: 'milliseconds from exec', digits: 1, rows: milliseconds },
        ratios: { title: 'ratios within the rounds', digits: 2, rows: ratios },
      },
    };
  },
};

/** A machine with an image store, a volume that has been booted on, and everything that is to be compared. */
async function makeBootMachine(): Promise<Machine> {
  await installCommands({ tini: 'tini' });
  const machine = await makeMachine({ volume: 'ext4', size: '256M' });
  await fillImage(machine, { rows: 5000 });
  mkdirSync(machine.path('/bench'));
  copyFileSync(process.execPath, machine.path('/bench/node'));
  writeFileSync(machine.path('/bench/empty.js'), '');
  cpSync(join(repository, 'test/bench/recipe.sh'), machine.path('/bench/recipe.sh'));
  const { exitCode, stderr } = await bootInNamespace(machine, { args: overlay('true') });
  if (exitCode !== 0) throw new Error(`the first boot failed: ${stderr}`);
  return machine;
}
