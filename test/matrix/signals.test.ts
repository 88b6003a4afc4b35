import assert from 'node:assert/strict';
import { type CaseOptions, matrix } from '../harness/matrix.ts';
import type { Running, Setting } from '../harness/setting.ts';
import { forwardedSignals, signal } from '../harness/signals.ts';

const { CHLD, CONT, KILL, STOP, INT, TERM, USR1 } = signal;

/** It and its child, in one process group, say what they get; TERM ends both with 7. */
async function startCounting(setting: Setting, ...flags: string[]): Promise<Running> {
  const running = await setting.start(['perl', '/programs/count-signals.pl'], { flags });
  await running.waitFor(/^ready$/m);
  return running;
}

/** What one of them got; without CONT, of which TERM brings one along for the stopped. */
function received(who: string, output: string): number[] {
  const pattern = new RegExp(`^${who} got (\\d+)$`, 'gm');
  const signals = [...output.matchAll(pattern)].map(([, number]) => Number(number));
  return signals.filter((number) => number !== CONT);
}

const got = (who: string, number: number): RegExp => new RegExp(`^${who} got ${number}$`, 'm');

/** TERM ends it, so of all signals that one comes alone. */
const thenTerm = (number: number): number[] => (number === TERM || number === CONT ? [TERM] : [number, TERM]);

/** One of each kind: at the edges, fatal, ignored by default, stopping. */
const kinds = [1, 2, USR1, TERM, CONT, 20, 28, 31];
const sampled = (number: number): CaseOptions =>
  kinds.includes(number) ? {} : { except: { docker: `containers for ${kinds} stand for the others` } };

matrix('a signal reaches the whole group of the command, as itself, once', (matrixCase) => {
  for (const number of forwardedSignals) {
    matrixCase(`signal ${number}`, async (setting) => {
      await using running = await startCounting(setting);
      await running.signal(number);
      await running.waitFor(got('main', number));
      await running.waitFor(got('child', number));
      if (number !== TERM) await running.signal(TERM);
      const { exitCode, stdout, stderr } = await running.ended;
      assert.deepEqual([exitCode, stderr], [7, '']);
      assert.deepEqual(received('main', stdout), thenTerm(number));
      assert.deepEqual(received('child', stdout), thenTerm(number));
    });
  }
});

matrix('with processGroup=false it reaches the command alone', (matrixCase) => {
  for (const number of forwardedSignals) {
    matrixCase(
      `signal ${number}`,
      async (setting) => {
        await using running = await startCounting(setting, '--process-group=no');
        await running.signal(number);
        await running.waitFor(got('main', number));
        if (number !== TERM) await running.signal(TERM);
        const { exitCode, stdout } = await running.ended;
        assert.equal(exitCode, 7);
        assert.deepEqual(received('main', stdout), thenTerm(number));
        // What is left when the command has ended is asked to end like everyone else.
        assert.deepEqual(received('child', stdout), [TERM]);
      },
      sampled(number),
    );
  }
});

// The kernel drops what a PID 1 without a handler is sent from its own namespace, so this is another way than the above.
matrix('a signal from inside is forwarded too', (matrixCase) => {
  for (const number of forwardedSignals) {
    matrixCase(
      `signal ${number}`,
      async (setting) => {
        const script = `
        $SIG{TERM} = sub { exit 4 };
        my @names = split ' ', (require Config, $Config::Config{sig_name})[1];
        $SIG{$names[${number}]} = sub { syswrite STDOUT, "got $names[${number}]\\n"; exit 5 };
        my $init = getppid;
        if (fork == 0) { $SIG{$_} = 'IGNORE' for @names[1 .. 31]; setpgrp; kill ${number}, $init; exit }
        select(undef, undef, undef, 0.05) while 1`;
        const { exitCode, stdout } = await setting.run(['perl', '-e', script]);
        assert.equal(exitCode, 5);
        assert.match(stdout, /^got [A-Z0-9]+\n$/);
      },
      sampled(number),
    );
  }
});

const faults = { SIGILL: 4, SIGBUS: 7, SIGFPE: 8, SIGSEGV: 11, SIGCHLD: CHLD };

matrix('what is init’s own affair is not forwarded', (matrixCase) => {
  for (const [name, number] of Object.entries(faults)) {
    const deadly = number !== CHLD && { except: { subreaper: 'it ends any program but a PID 1' } };
    matrixCase(
      `${name} ends neither init nor the command`,
      async (setting) => {
        await using running = await startCounting(setting);
        await running.signal(number);
        await running.signal(INT);
        await running.waitFor(got('main', INT));
        await running.signal(TERM);
        const { exitCode, stdout } = await running.ended;
        assert.equal(exitCode, 7);
        assert.deepEqual(received('main', stdout), [INT, TERM]);
      },
      deadly || {},
    );
  }
  for (const [name, number] of Object.entries({ SIGKILL: KILL, SIGSTOP: STOP })) {
    matrixCase(
      `${name} from inside does nothing to it`,
      async (setting) => {
        const script = `kill -${number} $PPID; sleep 0.2; kill -${USR1} $PPID; sleep 60`;
        const { exitCode } = await setting.run([
          'sh',
          '-c',
          `trap 'exit 5' USR1; (${script}) & wait; exit 6`,
        ]);
        assert.equal(exitCode, 5);
      },
      { except: { subreaper: 'the kernel keeps only PID 1 safe from these' } },
    );
  }
  matrixCase(
    'a real-time signal, which JavaScript cannot catch, does not end it',
    async (setting) => {
      await using running = await startCounting(setting);
      await running.signal(35);
      await running.signal(TERM);
      const { exitCode, stdout } = await running.ended;
      assert.deepEqual([exitCode, received('main', stdout)], [7, [TERM]]);
    },
    { except: { subreaper: 'it ends any program but a PID 1' } },
  );
});

matrix('signals that come in numbers', (matrixCase) => {
  matrixCase('a burst of different ones arrives whole', async (setting) => {
    await using running = await startCounting(setting);
    // Those that stop and the one that continues cancel each other while they wait (signal(7)).
    const burst = forwardedSignals.filter((number) => ![TERM, CONT].some((other) => other === number));
    await Promise.all(burst.map((number) => running.signal(number)));
    for (const number of burst) await running.waitFor(got('main', number));
    await running.signal(TERM);
    const { stdout } = await running.ended;
    assert.deepEqual(
      received('main', stdout).sort((a, b) => a - b),
      [...burst, TERM].sort((a, b) => a - b),
    );
  });

  matrixCase('those that came while init was stopped arrive when it goes on', async (setting) => {
    await using running = await startCounting(setting);
    await running.signal(STOP);
    await running.signal(USR1);
    await running.signal(CONT);
    await running.waitFor(got('main', USR1));
    await running.signal(TERM);
    assert.equal((await running.ended).exitCode, 7);
  });

  matrixCase('one that finds the command gone is no error', async (setting) => {
    const daemon = `setsid sh -c 'trap "" TERM; echo up; kill -USR1 $1; sleep 1; kill -USR1 $1; echo sent' sh $PPID`;
    const { exitCode, stdout, stderr } = await setting.run(
      ['sh', '-c', `trap '' USR1; ${daemon} & sleep 0.3; exit 9`],
      { flags: ['--shutdown-grace=5s'] },
    );
    assert.deepEqual([exitCode, stderr], [9, '']);
    assert.match(stdout, /sent/);
  });
});

matrix('kill -1, which signals everyone', (matrixCase) => {
  matrixCase('from the command: init goes on, the others get it', async (setting) => {
    const script = `
            if (fork == 0) { $SIG{USR1} = sub { print "child\n"; exit }; sleep 60; exit }
      $SIG{USR1} = 'IGNORE'; select(undef, undef, undef, 0.5); kill USR1 => -1; wait; exit 11`;
    const { exitCode, stdout } = await setting.run(['perl', '-e', script]);
    assert.deepEqual([exitCode, stdout], [11, 'child\n']);
  });
  matrixCase('TERM to all that is there ends it like TERM to init', async (setting) => {
    const script = 'setsid sh -c "sleep 0.3; kill -TERM -1" & exec sleep 60';
    assert.equal((await setting.run(['sh', '-c', script])).exitCode, 143);
  });
  matrixCase('KILL to all that is there leaves init to say 137', async (setting) => {
    const script = 'setsid sh -c "sleep 0.3; kill -KILL -1" & exec sleep 60';
    assert.equal((await setting.run(['sh', '-c', script])).exitCode, 137);
  });
});
