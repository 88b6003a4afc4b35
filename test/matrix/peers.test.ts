import assert from 'node:assert/strict';
import { after, suite } from 'node:test';
import { testOnGround } from '../harness/ground.ts';
import { namespaceSetting } from '../harness/namespaceSetting.ts';
import { namespacesMissing } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import type { Outcome } from '../harness/run.ts';
import type { Setting, SettingBoot } from '../harness/setting.ts';
import { signal } from '../harness/signals.ts';

// What docs/comparison.md says of tini and dumb-init, shown with Debian's packages of them beside ours: each claim runs
// one and the same program under all of them.

const { HUP, TERM, USR1 } = signal;
const inits = {
  ours: ['/init', '--strategy', 'none', '--'],
  tini: ['tini', '--'],
  'tini -g': ['tini', '-g', '--'],
  'tini -s': ['tini', '-s', '--'],
  'dumb-init': ['dumb-init', '--'],
  'dumb-init -c': ['dumb-init', '-c', '--'],
} as const;
type InitName = keyof typeof inits;
type Claim<T> = Partial<Record<InitName, T>>;

const shell = (script: string): string[] => ['sh', '-c', script];
const wait = 'while :; do sleep 0.05; done';

type Try = (setting: Setting, boot: SettingBoot) => Promise<unknown>;

/** One program under each, and what each makes of it. */
function claim(setting: Setting, name: string, attempt: Try, expected: Claim<unknown>): void {
  testOnGround(namespacesMissing, name, async () => {
    await installCommands({ tini: 'tini', 'dumb-init': 'dumb-init' });
    for (const [init, result] of Object.entries(expected)) {
      const instead = [...inits[init as InitName]];
      assert.deepEqual(await attempt(setting, { instead }), result, init);
    }
  });
}

const runs =
  (command: string[], show: (outcome: Outcome) => unknown, boot: SettingBoot = {}): Try =>
  async (setting, { instead = [] }) =>
    show(await setting.run(command, { ...boot, instead }));

const code = ({ exitCode }: Outcome): number => exitCode;
const output = ({ stdout }: Outcome): string => stdout.trim();

/** Sends one signal once it is up. */
const signals =
  (number: number, command: string[], show: (outcome: Outcome) => unknown): Try =>
  async (setting, { instead = [] }) => {
    await using running = await setting.start(command, { instead });
    await running.waitFor(/up/);
    await running.signal(number);
    return show(await running.ended);
  };

suite('as PID 1, beside tini and dumb-init', { concurrency: 4 }, () => {
  const setting = namespaceSetting('pid1');
  after(() => setting[Symbol.asyncDispose]());

  claim(setting, 'exit codes are the same', runs(shell('exit 77'), code), {
    ours: 77,
    tini: 77,
    'dumb-init': 77,
  });
  claim(setting, 'so is the code of a signal', runs(shell('kill -TERM $$'), code), {
    ours: 143,
    tini: 143,
    'dumb-init': 143,
  });
  claim(setting, 'a command that is not found', runs(['/no/such'], code), {
    ours: 127,
    tini: 127,
    'dumb-init': 2,
  });
  claim(setting, 'a command that may not be executed', runs(['/etc/passwd'], code), {
    ours: 126,
    tini: 126,
    'dumb-init': 2,
  });
  const noProgram = 'echo "exit 5" >/usable; chmod +x /usable; exec "$@"';
  // Theirs goes through execvp(3), which has /bin/sh read what the kernel does not know.
  claim(
    setting,
    'a script without a first line that says whose',
    runs(['/usable'], code, { via: noProgram }),
    {
      ours: 126,
      tini: 5,
      'dumb-init': 5,
    },
  );

  const group = shell(
    `trap 'sleep 0.5; exit 3' USR1; sh -c 'trap "echo child; exit" USR1; echo up; ${wait}' & ${wait}`,
  );
  claim(
    setting,
    'a signal to the group, or to the command alone',
    signals(USR1, group, ({ stdout }) => stdout.includes('child')),
    { ours: true, tini: false, 'tini -g': true, 'dumb-init': true, 'dumb-init -c': false },
  );

  // Their PID 1 ends with the command, and the kernel kills who is left.
  const daemon = `setsid sh -c 'trap "sleep 1; echo finished; exit" TERM; echo up; ${wait}' &`;
  const finished = ({ stdout }: Outcome): boolean => stdout.includes('finished');
  claim(
    setting,
    'a daemon may finish when it is told to stop',
    signals(TERM, shell(`${daemon} exec sleep 60`), finished),
    {
      ours: true,
      tini: false,
      'tini -g': false,
      'dumb-init': false,
    },
  );
  claim(
    setting,
    'a daemon may finish when the command ends',
    runs(shell(`${daemon} sleep 0.5; exit 3`), finished),
    {
      ours: true,
      tini: false,
      'dumb-init': false,
    },
  );
  const stopped = `setsid sh -c 'kill -STOP $1; sleep 0.2; echo up; sleep 3; kill -KILL $1' sh $$ & exec sleep 60`;
  claim(setting, 'a command that is stopped acts on TERM', signals(TERM, shell(stopped), code), {
    ours: 143,
    tini: 137,
    'dumb-init': 137,
  });

  const identity = (field: number): string =>
    `open(F, "/proc/self/stat"); my @f = split " ", (<F> =~ /.*\\) (.*)/)[0]; print $f[${field}] == $$ ? "own" : "shared"`;
  claim(setting, 'the process group of the command', runs(['perl', '-e', identity(2)], output), {
    ours: 'own',
    tini: 'own',
    'dumb-init': 'own',
    'dumb-init -c': 'shared',
  });
  claim(setting, 'the session of the command', runs(['perl', '-e', identity(3)], output), {
    ours: 'shared',
    tini: 'shared',
    'dumb-init': 'own',
  });

  const where = runs(shell('sleep 0.3; readlink /proc/$PPID/cwd'), output, { via: 'cd /usr; exec "$@"' });
  claim(setting, 'the working directory of init itself', where, {
    ours: '/',
    tini: '/usr',
    'dumb-init': '/',
  });

  const kept = runs(
    shell('sleep 0.3; [ "$(readlink /proc/$PPID/fd/7)" = /etc/passwd ] && echo kept || echo gone'),
    output,
    {
      via: 'exec 7</etc/passwd; exec "$@"',
    },
  );
  claim(setting, 'a file that init was given for the command', kept, {
    ours: 'gone',
    tini: 'kept',
    'dumb-init': 'kept',
  });

  const traced = runs(['perl', '/programs/traced.pl', 'attach'], code);
  claim(setting, 'a command that is traced for a while', traced, { ours: 9, tini: 9, 'dumb-init': 9 });

  const realTime = signals(
    35,
    [
      'perl',
      '-MPOSIX',
      '-e',
      `POSIX::sigaction(35, POSIX::SigAction->new(sub { exit 5 })); $| = 1; print "up\\n"; alarm 2; sleep 9`,
    ],
    code,
  );
  claim(setting, 'a real-time signal', realTime, { ours: 142, tini: 5, 'dumb-init': 5 });

  const remapped = async (instead: string[]): Promise<number> =>
    (await setting.run(shell('exit 7'), { instead })).exitCode;
  testOnGround(namespacesMissing, 'remapping an exit code', async () => {
    assert.equal(await remapped(['/init', '--strategy=none', '--exit-codes={"7":0}', '--']), 0);
    assert.equal(await remapped(['tini', '-e', '7', '--']), 0);
  });
  testOnGround(namespacesMissing, 'wrong usage', async () => {
    for (const [instead, expected] of [
      [['/init', '--no-such'], 64],
      [['tini', '-x', '--'], 1],
      [['dumb-init', '--no-such'], 1],
    ] as const) {
      assert.equal((await setting.run(['true'], { instead: [...instead] })).exitCode, expected, instead[0]);
    }
  });
  // What -r is for can be had from the command's own side.
  testOnGround(namespacesMissing, 'rewriting a signal', async () => {
    const command = shell(`trap 'exit 3' USR1; echo up; ${wait}`);
    const rewriting = await signals(
      TERM,
      command,
      code,
    )(setting, { instead: ['dumb-init', '-r', '15:10', '--'] });
    // The last word on its exit is the trap's: whether a wait that a signal ended knows of it differs.
    // It is up when the shell knows its command, and the command has its trap.
    const shellInstead = `said=$(mktemp); trap 'kill -USR1 $main; wait $main; exit $?' TERM; "$@" >$said & main=$!
until [ -s $said ]; do sleep 0.02; done; cat $said; rm $said; wait $main`;
    const instead = [...inits.ours, 'sh', '-c', shellInstead, 'sh'];
    const boot = [...instead.slice(0, 3), '--process-group=no', ...instead.slice(3)];
    assert.deepEqual([rewriting, await signals(TERM, command, code)(setting, { instead: boot })], [3, 3]);
  });
  testOnGround(namespacesMissing, 'HUP is forwarded by all', async () => {
    for (const init of ['ours', 'tini', 'dumb-init'] as const) {
      const command = shell(`trap 'exit 4' HUP; echo up; ${wait}`);
      assert.equal(await signals(HUP, command, code)(setting, { instead: [...inits[init]] }), 4, init);
    }
  });
});

suite('below another PID 1, beside tini and dumb-init', { concurrency: 4 }, () => {
  const setting = namespaceSetting('subreaper');
  after(() => setting[Symbol.asyncDispose]());

  const adopted = runs(['perl', '/programs/orphans.pl', '20', 'count', '1'], output);
  claim(setting, 'orphans are adopted and reaped', adopted, {
    ours: 'adopted=all zombies=0',
    'tini -s': 'adopted=all zombies=0',
    tini: 'adopted=0 zombies=20',
    'dumb-init': 'adopted=0 zombies=20',
  });
  claim(
    setting,
    'it has something to say about that',
    runs(['true'], ({ stderr }) => stderr !== ''),
    {
      ours: false,
      tini: true,
      'tini -s': false,
      'dumb-init': false,
    },
  );

  const ignoring = `exec perl -e '$SIG{USR1} = "IGNORE"; exec @ARGV' "$@"`;
  const ignored = runs(['grep', '^SigIgn', '/proc/self/status'], output, { via: ignoring });
  claim(setting, 'a signal that init was given ignored', ignored, {
    tini: 'SigIgn:\t0000000000000200',
    'dumb-init': 'SigIgn:\t0000000000000000',
  });
  const blocking = `exec perl -MPOSIX -e 'POSIX::sigprocmask(POSIX::SIG_BLOCK(), POSIX::SigSet->new(10)); exec @ARGV' "$@"`;
  const blocked = runs(['grep', '^SigBlk', '/proc/self/status'], output, { via: blocking });
  claim(setting, 'a signal that init was given blocked', blocked, {
    tini: 'SigBlk:\t0000000000000200',
    'dumb-init': 'SigBlk:\t0000000000000000',
  });

  // The kernel reaps for who ignores SIGCHLD, and then there is no status to be had.
  const deaf = `exec timeout -s KILL 3 perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$@"`;
  claim(
    setting,
    'the end of the command, where SIGCHLD is ignored',
    runs(shell('exit 9'), code, { via: deaf }),
    {
      ours: 9,
      'tini -s': 137,
      'dumb-init': 9,
    },
  );
});
