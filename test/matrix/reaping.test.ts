import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { matrix } from '../harness/matrix.ts';
import { signal } from '../harness/signals.ts';

const orphans = (...args: string[]): string[] => ['perl', '/programs/orphans.pl', ...args];
const shell = (script: string): string[] => ['sh', '-c', script];

/** Waits for nobody, and ends when the command has: as a zombie, too. */
const patient = `
  my $main = fork // die; exec @ARGV or die if $main == 0;
  for (;;) { open my $stat, '<', "/proc/$main/stat" or die; last if <$stat> =~ /\\) Z/; select undef, undef, undef, 0.05 }`;

matrix('orphans leave no zombie', (matrixCase) => {
  for (const count of [1, 100, 1000]) {
    matrixCase(`${count} in sessions of their own that end at once`, async (setting) => {
      const outcome = await setting.run(orphans(`${count}`, 'count'));
      assert.deepEqual(outcome, { exitCode: 42, stdout: 'adopted=all zombies=0\n', stderr: '' });
    });
  }

  // The control: who does not wait, or is not asked to, leaves them.
  matrixCase('without init the same orphans stay zombies', async (setting) => {
    const instead = ['perl', '-e', patient];
    const { stdout } = await setting.run(orphans('100', 'count', '1'), { instead });
    assert.match(stdout, /zombies=[1-9]/);
  });

  matrixCase('five waves of fifty', async (setting) => {
    const wave = 'perl /programs/orphans.pl 50 count 10 $PPID';
    const { stdout } = await setting.run(shell(`${`${wave}; `.repeat(5)} exit 0`));
    assert.equal(stdout, 'adopted=all zombies=0\n'.repeat(5));
  });

  const doubleForked = 'sh -c "sh -c \\"sh -c \'sleep 0.2\' &\\" &"';
  matrixCase('a chain of processes each of which leaves the next', async (setting) => {
    const { stdout } = await setting.run(
      shell(`${doubleForked}; perl /programs/orphans.pl 1 count 10 $PPID`),
    );
    assert.equal(stdout, 'adopted=all zombies=0\n');
  });

  matrixCase('some that signals ended', async (setting) => {
    const script = `
      for my $signal (9, 11, 6, 15) { if (fork == 0) { if (fork == 0) { setpgrp; kill $signal, $$; sleep 60 } exit } wait }
      exec 'perl', '/programs/orphans.pl', 1, 'count'`;
    const { stdout } = await setting.run(['perl', '-e', script]);
    assert.equal(stdout, 'adopted=all zombies=0\n');
  });

  matrixCase('while the command is stopped', async (setting) => {
    const other = 'kill -STOP $main; perl /programs/orphans.pl 20 count 10 $PPID; kill -CONT $main';
    const { exitCode, stdout } = await setting.run(shell(`main=$$; (${other}) & wait; exit 9`));
    assert.deepEqual([exitCode, stdout], [9, 'adopted=all zombies=0\n']);
  });

  matrixCase('while the shutdown waits', async (setting) => {
    const tidy = 'perl /programs/orphans.pl 20 count 5 $PPID; exit 9';
    await using running = await setting.start(
      shell(`trap "${tidy.replaceAll('$', '\\$')}" TERM; echo up; while :; do sleep 0.05; done`),
    );
    await running.waitFor(/up/);
    await running.signal(signal.TERM);
    const { exitCode, stdout } = await running.ended;
    assert.deepEqual([exitCode, stdout], [9, 'up\nadopted=all zombies=0\n']);
  });

  matrixCase('what the command itself never waited for goes with it', async (setting) => {
    const script = 'for (1 .. 50) { exit if fork == 0 } select(undef, undef, undef, 0.3); exit 8';
    assert.equal((await setting.run(['perl', '-e', script])).exitCode, 8);
  });
});

matrix('the status of the command is right', (matrixCase) => {
  for (const code of [0, 1, 77, 200, 255]) {
    matrixCase(`when it ends with ${code} among 500 orphans`, async (setting) => {
      assert.equal((await setting.run(orphans('500', `${code}`))).exitCode, code);
    });
  }

  matrixCase('when a signal ends it among 300 orphans', async (setting) => {
    assert.equal((await setting.run(orphans('300', 'killed'))).exitCode, 137);
  });

  // catatonit #4, #5: fifty exits can be one SIGCHLD. Here three hundred are.
  matrixCase('when it ends among 300 orphans while init is stopped: one SIGCHLD for all', async (setting) => {
    await using running = await setting.start(
      shell('echo up; sleep 1; exec perl /programs/orphans.pl 300 200'),
    );
    await running.waitFor(/up/);
    await running.signal(signal.STOP);
    await sleep(2500);
    await running.signal(signal.CONT);
    assert.equal((await running.ended).exitCode, 200);
  });

  matrixCase('when it ends before anybody can have looked, ten times', async (setting) => {
    for (let count = 0; count < 5; count += 1) {
      assert.equal((await setting.run(['/bin/true'])).exitCode, 0);
      assert.equal((await setting.run(['/bin/false'])).exitCode, 1);
    }
  });

  matrixCase('when an orphan ends after it with another', async (setting) => {
    const orphan = 'setsid sh -c \'trap "exit 66" TERM; echo up; while :; do sleep 0.05; done\'';
    const { exitCode } = await setting.run(shell(`${orphan} & sleep 0.3; exit 5`));
    assert.equal(exitCode, 5);
  });
});

matrix('what is stopped or traced has not ended', (matrixCase) => {
  matrixCase('a command that is stopped for a while', async (setting) => {
    const outcome = await setting.run(
      shell('(sleep 0.5; kill -CONT $$) & kill -STOP $$; echo continued; exit 9'),
    );
    assert.deepEqual(outcome, { exitCode: 9, stdout: 'continued\n', stderr: '' });
  });

  matrixCase('an orphan that is stopped for a while', async (setting) => {
    const script = `
      pipe(my $read, my $write);
      if (fork == 0) {
        if (fork == 0) { setpgrp; syswrite $write, "$$\\n"; kill STOP => $$; syswrite $write, "continued\\n"; exit }
        exit;
      }
      wait; chomp(my $orphan = <$read>);
      select(undef, undef, undef, 0.4);
      open my $stat, '<', "/proc/$orphan/stat"; print((<$stat> =~ /\\) (\\S)/)[0], "\\n");
      kill CONT => $orphan; print scalar <$read>; exit 9`;
    const { exitCode, stdout } = await setting.run(['perl', '-e', script]);
    assert.deepEqual([exitCode, stdout], [9, 'T\ncontinued\n']);
  });

  matrixCase('a command that a debugger stops and lets go on', async (setting) => {
    const outcome = await setting.run(['perl', '/programs/traced.pl', 'attach']);
    assert.deepEqual(outcome, { exitCode: 9, stdout: 'stopped\n', stderr: '' });
  });

  // Its stop is reported to init, whose wait status then has neither an exit code nor a signal that ended anything:
  // read as an end it would be 255, or a PID 1 that gives up.
  matrixCase('a command that makes init its tracer unasked', async (setting) => {
    const { exitCode } = await setting.run(['perl', '/programs/traced.pl', 'parent']);
    assert.ok(exitCode === 9 || exitCode === 137, `went on, or stopped until it was killed: ${exitCode}`);
  });
});
