import assert from 'node:assert/strict';
import { matrix } from '../harness/matrix.ts';
import { childrenOf } from '../harness/namespaceBoot.ts';
import { deadlySignals, signal } from '../harness/signals.ts';

const shell = (script: string): string[] => ['sh', '-c', script];

matrix('the process that the command gets', (matrixCase) => {
  matrixCase('leads a group of its own', async (setting) => {
    const script = 'print getpgrp() == $$ ? "leader" : "member"';
    assert.equal((await setting.run(['perl', '-e', script])).stdout, 'leader');
  });
  matrixCase('stays in the session of init', async (setting) => {
    const session = 'sub session { open(F, "/proc/$_[0]/stat"); (<F> =~ /.*\\) \\S \\d+ \\d+ (\\d+)/)[0] }';
    const script = `${session} print session($$) == session(getppid) ? "same" : "another"`;
    assert.equal((await setting.run(['perl', '-e', script])).stdout, 'same');
  });
  matrixCase('is a child of init', async (setting) => {
    await using running = await setting.start(shell('echo up; exec sleep 60'));
    await running.waitFor(/up/);
    const init = await running.pid();
    const children = childrenOf(init);
    assert.equal(children.length, 1);
  });
  for (const mask of ['0000', '0027', '0077']) {
    matrixCase(`keeps the umask ${mask}`, async (setting) => {
      const { stdout } = await setting.run(shell('umask'), { via: `umask ${mask}; exec "$@"` });
      assert.equal(stdout, `${mask}\n`);
    });
  }
  for (const limit of ['c 0', 's 4096', 'u 4000', 't 1000']) {
    matrixCase(`keeps its limits: ulimit -${limit}`, async (setting) => {
      const [flag, value] = limit.split(' ');
      const boot = { via: `exec bash -c 'ulimit -S${limit}; exec "$@"' bash "$@"` };
      assert.equal((await setting.run(['bash', '-c', `ulimit -S${flag}`], boot)).stdout, `${value}\n`);
    });
  }
  for (const limit of [100, 1000]) {
    matrixCase(`keeps the soft limit of open files, ${limit}`, async (setting) => {
      const via = `ulimit -Sn ${limit}; exec "$@"`;
      assert.equal((await setting.run(shell('ulimit -Sn'), { via })).stdout, `${limit}\n`);
    });
  }
  matrixCase('keeps its niceness', async (setting) => {
    assert.equal((await setting.run(['nice'], { via: 'exec nice -n 5 "$@"' })).stdout, '5\n');
  });
  matrixCase('keeps its OOM score', async (setting) => {
    const via = 'echo 500 >/proc/self/oom_score_adj; exec "$@"';
    assert.equal((await setting.run(['cat', '/proc/self/oom_score_adj'], { via })).stdout, '500\n');
  });
  matrixCase('may gain no privileges where init may not', async (setting) => {
    const via = 'exec setpriv --no-new-privs "$@"';
    const { stdout } = await setting.run(['grep', '^NoNewPrivs', '/proc/self/status'], { via });
    assert.equal(stdout, 'NoNewPrivs:\t1\n');
  });
  matrixCase('may gain them where init may', async (setting) => {
    const { stdout } = await setting.run(['grep', '^NoNewPrivs', '/proc/self/status']);
    assert.equal(stdout, 'NoNewPrivs:\t0\n');
  });
  matrixCase('is not told to die with init’s parent or init', async (setting) => {
    const { syscall, arm } = { syscall: 157, arm: 167 };
    const nr = `(POSIX::uname())[4] eq "x86_64" ? ${syscall} : ${arm}`;
    const script = `use POSIX (); my $b = pack "i", 7; syscall(${nr}, 2, $b); print unpack "i", $b`;
    assert.equal((await setting.run(['perl', '-e', script])).stdout, '0');
  });
});

const sets = ['cat', '/proc/self/status'];

/** The signals of a set in /proc/PID/status. */
function signalsIn(status: string, set: 'SigBlk' | 'SigIgn' | 'SigCgt'): number[] {
  const mask = BigInt(`0x${new RegExp(`^${set}:\\s*(\\w+)$`, 'm').exec(status)?.[1]}`);
  return Array.from({ length: 64 }, (_, index) => index + 1).filter((number) =>
    Boolean((mask >> BigInt(number - 1)) & 1n),
  );
}

/** Starts init with these signals ignored or blocked. */
const launcher = (how: 'ignoring' | 'blocking', numbers: readonly number[]): { via: string } => {
  const act =
    how === 'ignoring'
      ? `POSIX::sigaction($_, POSIX::SigAction->new("IGNORE")) for @n`
      : `POSIX::sigprocmask(POSIX::SIG_BLOCK(), POSIX::SigSet->new(@n))`;
  return { via: `exec perl -MPOSIX -e 'my @n = qw(${numbers.join(' ')}); ${act}; exec @ARGV' "$@"` };
};

const { HUP, INT, QUIT, USR1, USR2, PIPE, TERM, CHLD, TSTP, TTIN, TTOU, WINCH } = signal;
const chosen = { HUP, INT, QUIT, USR1, USR2, PIPE, TERM, CHLD, TSTP, TTIN, TTOU, WINCH };

/** SIGCHLD is not: init would have to ignore it for a moment, and an exit in that moment could not be waited for. */
const ignored = (numbers: number[]): number[] => numbers.filter((number) => number !== CHLD);

// catatonit and dumb-init leak their own.
matrix('the signals that the command starts with', (matrixCase) => {
  for (const set of ['SigBlk', 'SigIgn', 'SigCgt'] as const) {
    matrixCase(`${set} is empty where init was given nothing`, async (setting) => {
      assert.deepEqual(signalsIn((await setting.run(sets)).stdout, set), []);
    });
  }

  for (const [name, number] of Object.entries(chosen)) {
    matrixCase(
      `SIG${name} is ${name === 'CHLD' ? 'not ' : ''}ignored where init was given it so, and no other`,
      async (setting) => {
        const { stdout } = await setting.run(sets, launcher('ignoring', [number]));
        assert.deepEqual([signalsIn(stdout, 'SigIgn'), signalsIn(stdout, 'SigBlk')], [ignored([number]), []]);
      },
    );
    matrixCase(`SIG${name} is blocked where init was given it so, and no other`, async (setting) => {
      const { stdout } = await setting.run(sets, launcher('blocking', [number]));
      assert.deepEqual([signalsIn(stdout, 'SigIgn'), signalsIn(stdout, 'SigBlk')], [[], [number]]);
    });
  }
  matrixCase('many at once are ignored', async (setting) => {
    const numbers = Object.values(chosen).sort((a, b) => a - b);
    const { stdout } = await setting.run(sets, launcher('ignoring', numbers));
    assert.deepEqual(signalsIn(stdout, 'SigIgn'), ignored(numbers));
  });
  matrixCase('many at once are blocked, real-time ones too', async (setting) => {
    const numbers = [...Object.values(chosen), 34, 64].sort((a, b) => a - b);
    const { stdout } = await setting.run(sets, launcher('blocking', numbers));
    assert.deepEqual(signalsIn(stdout, 'SigBlk'), numbers);
  });
});

matrix('whatever init was given ignored or blocked', (matrixCase) => {
  for (const how of ['ignoring', 'blocking'] as const) {
    matrixCase(`started ${how} SIGCHLD, it sees how the command ends`, async (setting) => {
      assert.equal((await setting.run(shell('sleep 0.2; exit 9'), launcher(how, [CHLD]))).exitCode, 9);
    });
    matrixCase(`started ${how} SIGCHLD, it reaps orphans`, async (setting) => {
      const { stdout } = await setting.run(
        ['perl', '-e', '$SIG{CHLD} = "DEFAULT"; exec @ARGV', 'perl', '/programs/orphans.pl', '50', 'count'],
        launcher(how, [CHLD]),
      );
      assert.equal(stdout, 'adopted=all zombies=0\n');
    });
    matrixCase(`started ${how} all of them, it forwards TERM to who wants it`, async (setting) => {
      const open = 'POSIX::sigprocmask(POSIX::SIG_UNBLOCK(), POSIX::SigSet->new(15))';
      const script = `$SIG{TERM} = sub { exit 7 }; ${open}; $| = 1; print "up\\n"; sleep 1 while 1`;
      await using running = await setting.start(
        ['perl', '-MPOSIX', '-e', script],
        launcher(how, deadlySignals),
      );
      await running.waitFor(/up/);
      await running.signal(TERM);
      assert.equal((await running.ended).exitCode, 7);
    });
  }
});
