import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { installCommands } from '../harness/packages.ts';
import { repository } from '../harness/paths.ts';

/** What is run as PID 1 in the machine, and how it is called in the report. */
export type Contender = { name: string; what: string; command: string[] };

/** As short as `true`, and its output shows when it is at its end. */
const main = ['/bin/echo'];

export const contenders: Contender[] = [
  { name: 'init', what: '/init, overlay on a warm volume', command: ['/init', ...overlay(...main)] },
  { name: 'plain', what: '/init, strategy none', command: ['/init', '--strategy=none', ...main] },
  { name: 'node', what: 'node empty.js', command: ['/bench/node', '/bench/empty.js'] },
  {
    name: 'tini',
    what: 'tini and the shell recipe with mount(8)',
    command: ['/usr/bin/tini', '--', '/bin/sh', '/bench/recipe.sh', ...main],
  },
  { name: 'nothing', what: 'the command alone, what the harness itself costs', command: main },
];

/** A machine with an image store, a volume that has been booted on, and everything that is to be compared. */
export async function makeBenchMachine(): Promise<Machine> {
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
