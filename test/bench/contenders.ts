import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { peersRoot } from '../harness/base.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { putNixFixtures } from '../harness/nixFixtures.ts';
import { repository } from '../harness/paths.ts';
import type { Contender } from './timed.ts';

/** What each of them runs as its command or last service: it says when nix-daemon has answered. */
const ask = ['/usr/bin/perl', '/bench/ask.pl', 'stay'];
const recipe = ['/bin/sh', '/bench/recipe.sh'];
/** Who supervises one command only has a shell begin the daemon. */
const beside = ['/bin/sh', '-c', 'nix-daemon & exec "$@"', 'sh', ...ask];

const service = (command: readonly string[]): string => `#!/bin/sh\nexec ${command.join(' ')}\n`;

/** The same two services, as each supervisor has them. */
const files: Record<string, string> = {
  ...Object.fromEntries(
    ['s6', 'runit'].flatMap((name) => [
      [`/bench/${name}/daemon/run`, service(['nix-daemon'])],
      [`/bench/${name}/ask/run`, service(ask)],
    ]),
  ),
  '/bench/supervisord.conf': `[supervisord]
nodaemon=true
silent=true
user=root
logfile=/dev/null
logfile_maxbytes=0
[program:daemon]
command=nix-daemon
[program:ask]
command=${ask.join(' ')}
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
`,
};

/** Who mounts the volume under the store, and runs nix-daemon and a command. */
export const contenders: Contender[] = [
  { name: 'init', what: '/init as the ENTRYPOINT that nobody configured', command: ['/init', ...ask] },
  { name: 'tini', what: 'tini', command: [...recipe, '/usr/bin/tini', '--', ...beside] },
  { name: 'dumb-init', what: 'dumb-init', command: [...recipe, '/usr/bin/dumb-init', '--', ...beside] },
  { name: 'catatonit', what: 'catatonit', command: [...recipe, '/usr/bin/catatonit', '--', ...beside] },
  { name: 's6', what: 's6-svscan', command: [...recipe, '/usr/bin/s6-svscan', '/bench/s6'] },
  { name: 'runit', what: 'runsvdir', command: [...recipe, '/usr/bin/runsvdir', '/bench/runit'] },
  {
    name: 'supervisor',
    what: 'supervisord',
    command: [...recipe, '/usr/bin/supervisord', '-c', '/bench/supervisord.conf'],
  },
];

/** A Debian with its Nix, all contenders, an image store, and a volume that has been booted on. */
export async function makeContendersMachine(): Promise<Machine> {
  const machine = await makeMachine({ volume: 'ext4', size: '256M', base: await peersRoot() });
  try {
    await machine.shell(putNixFixtures);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(machine.path(path)), { recursive: true });
      writeFileSync(machine.path(path), text);
      chmodSync(machine.path(path), 0o755);
    }
    for (const name of ['recipe.sh', 'ask.pl'])
      cpSync(join(repository, 'test/bench', name), machine.path(`/bench/${name}`));
    const fill = await bootInNamespace(machine, { program: ['sh', '/fill-store.sh', 'b', 'w'], args: [] });
    const first = await bootInNamespace(machine, { args: overlay('true') });
    for (const { exitCode, stderr } of [fill, first])
      if (exitCode !== 0) throw new Error(`the machine could not be prepared: ${stderr}`);
    return machine;
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}
