import assert from 'node:assert/strict';
import { matrix } from '../harness/matrix.ts';
import { measured } from '../harness/measured.ts';
import type { Outcome } from '../harness/run.ts';
import type { Setting } from '../harness/setting.ts';
import { signal } from '../harness/signals.ts';

const { HUP, INT, QUIT, TERM } = signal;
const shell = (script: string): string[] => ['sh', '-c', script];
const wait = 'while :; do sleep 0.05; done';
/** On TERM it takes its time, and says that it could finish. */
const slow = (seconds: number): string =>
  `setsid sh -c 'trap "sleep ${seconds}; echo finished; exit" TERM; echo up; ${wait}' &`;
/** TERM is ignored, and by the children too. */
const stubborn = `setsid sh -c 'trap "" TERM; echo up; ${wait}' &`;
/** So long that who waits for its end is seen to. */
const patient = '--shutdown-grace=80s';
const HANG_SECONDS = 40;

/** Boots, waits until it is up, sends signals to init, and says how long the end took from there. */
async function end(
  setting: Setting,
  command: string[],
  { flags = [], signals = [TERM] }: { flags?: string[]; signals?: number[] } = {},
): Promise<{ result: Outcome; seconds: number }> {
  await using running = await setting.start(command, { flags });
  await running.waitFor(/up/);
  return await measured(async () => {
    for (const number of signals) await running.signal(number);
    return await running.ended;
  });
}

matrix('the grace is a maximum', (matrixCase) => {
  // s6-overlay #204 slept for all of it.
  matrixCase('a command that obeys TERM ends it with 143, long before', async (setting) => {
    const { result, seconds } = await end(setting, shell('echo up; exec sleep 60'), { flags: [patient] });
    assert.deepEqual(result, { exitCode: 143, stdout: 'up\n', stderr: '' });
    assert.ok(seconds < HANG_SECONDS, `${seconds} s`);
  });
  for (const [name, number] of Object.entries({ HUP, INT, QUIT })) {
    matrixCase(`a command that ${name} ends gives ${128 + number}`, async (setting) => {
      const { result } = await end(setting, shell('echo up; exec sleep 60'), { signals: [number] });
      assert.equal(result.exitCode, 128 + number);
    });
  }
  matrixCase('a command that ends by itself is waited for by nobody', async (setting) => {
    const { result, seconds } = await measured(() => setting.run(['true'], { flags: [patient] }));
    assert.equal(result.exitCode, 0);
    assert.ok(seconds < HANG_SECONDS, `${seconds} s`);
  });
  matrixCase('it is over with the last of many that finish', async (setting) => {
    const { result, seconds } = await end(
      setting,
      shell(`for i in 1 2 3 4 5 6 7 8 9 10; do ${slow(0.2)} done; sleep 1; exec sleep 60`),
      { flags: [patient] },
    );
    assert.equal(result.stdout.match(/finished/g)?.length, result.stdout.match(/up/g)?.length);
    assert.ok(seconds < HANG_SECONDS, `${seconds} s`);
  });
  matrixCase('who ignores TERM is killed at the end of it', async (setting) => {
    const command = shell(`${stubborn} exec sleep 60`);
    const { result, seconds } = await end(setting, command, { flags: ['--shutdown-grace=2s'] });
    assert.equal(result.exitCode, 143);
    assert.ok(seconds > 1 && seconds < HANG_SECONDS, `${seconds} s`);
  });
  matrixCase('a command that ignores TERM is killed too, and that is its status', async (setting) => {
    const command = shell(`trap "" TERM; echo up; ${wait}`);
    const { result, seconds } = await end(setting, command, { flags: ['--shutdown-grace=2s'] });
    assert.equal(result.exitCode, 137);
    assert.ok(seconds > 1 && seconds < HANG_SECONDS, `${seconds} s`);
  });
  matrixCase('who leaves a successor at TERM gains nothing by it', async (setting) => {
    const heir = `setsid sh -c 'trap "setsid sh -c \\"trap : TERM; ${wait}\\" & exit" TERM; echo up; ${wait}' &`;
    const { result, seconds } = await end(setting, shell(`${heir} exec sleep 60`), {
      flags: ['--shutdown-grace=2s'],
    });
    assert.equal(result.exitCode, 143);
    assert.ok(seconds < HANG_SECONDS, `${seconds} s`);
  });
});

// tini #78, #229, #236 and dumb-init #80, #212: the end of the command is the end of everybody, at once.
const daemons: Record<string, string> = {
  'in a session of its own': slow(3),
  'that forked twice': `sh -c "${slow(3).replaceAll('"', '\\"')}" & `,
  'in the group of the command': slow(3).replace('setsid ', ''),
};

matrix('a daemon gets TERM, and three seconds to finish', (matrixCase) => {
  for (const [name, daemon] of Object.entries(daemons)) {
    matrixCase(`one ${name}, when init is told to stop`, async (setting) => {
      const { result } = await end(setting, shell(`${daemon} exec sleep 60`));
      assert.deepEqual([result.exitCode, result.stdout], [143, 'up\nfinished\n']);
    });
    matrixCase(`one ${name}, when the command ends by itself`, async (setting) => {
      const { exitCode, stdout } = await setting.run(shell(`${daemon} sleep 0.5; exit 33`));
      assert.deepEqual([exitCode, stdout], [33, 'up\nfinished\n']);
    });
  }
  matrixCase('one that is stopped is continued for it', async (setting) => {
    const daemon = `setsid sh -c 'trap "echo finished; exit" TERM; (sleep 0.3; echo up) & kill -STOP $$; ${wait}' &`;
    const { result } = await end(setting, shell(`${daemon} exec sleep 60`));
    assert.equal(result.stdout, 'up\nfinished\n');
  });
  matrixCase('one that ignores TERM does not change the status', async (setting) => {
    const { exitCode } = await setting.run(shell(`${stubborn} sleep 0.5; exit 34`), {
      flags: ['--shutdown-grace=1s'],
    });
    assert.equal(exitCode, 34);
  });
});

matrix('the command comes first', (matrixCase) => {
  matrixCase('stopped, it is continued, so that TERM can end it', async (setting) => {
    const script = '(kill -STOP $$; sleep 0.2; echo up) & exec sleep 60';
    const { result, seconds } = await end(setting, shell(script), { flags: [patient] });
    assert.equal(result.exitCode, 143);
    assert.ok(seconds < HANG_SECONDS, `${seconds} s`);
  });
  matrixCase('while it finishes, the others are still there', async (setting) => {
    const script = `trap 'sleep 1; kill -0 $! && echo there; exit 3' TERM; setsid sh -c 'echo up; exec sleep 60' & ${wait}`;
    const { result } = await end(setting, shell(script), { flags: ['--shutdown-grace=30s'] });
    assert.deepEqual([result.exitCode, result.stdout], [3, 'up\nthere\n']);
  });
  matrixCase('it gets TERM once, however long it takes', async (setting) => {
    const script = `n=0; trap 'n=$((n+1)); [ $n = 1 ] && echo told || echo again' TERM; echo up; sleep 0.1; while [ $n = 0 ]; do sleep 0.05; done; sleep 3; exit 3`;
    const { result } = await end(setting, shell(script), { flags: ['--shutdown-grace=4s'] });
    assert.deepEqual([result.exitCode, result.stdout], [3, 'up\ntold\n']);
  });
  matrixCase('what its handler starts is left to finish', async (setting) => {
    const script = `trap 'sh -c "sleep 1; echo tidied"; exit 3' TERM; echo up; ${wait}`;
    const { result } = await end(setting, shell(script));
    assert.deepEqual([result.exitCode, result.stdout], [3, 'up\ntidied\n']);
  });
});

matrix('a second signal ends the patience', (matrixCase) => {
  const deaf = shell(`trap "echo told" TERM; trap "" INT; echo up; ${wait}`);
  for (const [name, number] of Object.entries({ TERM, INT })) {
    matrixCase(`${name} after TERM kills at once`, async (setting) => {
      await using running = await setting.start(deaf, { flags: [patient] });
      await running.waitFor(/up/);
      await running.signal(TERM);
      await running.waitFor(/told/);
      const { result, seconds } = await measured(async () => {
        await running.signal(number);
        return await running.ended;
      });
      assert.equal(result.exitCode, 137);
      assert.ok(seconds < HANG_SECONDS, `${seconds} s`);
    });
  }
  matrixCase('TERM while daemons are waited for kills them', async (setting) => {
    const script = `setsid sh -c 'trap "echo told" TERM; echo up; ${wait}' & sleep 0.5; exit 12`;
    await using running = await setting.start(shell(script), { flags: [patient] });
    await running.waitFor(/told/);
    await running.signal(TERM);
    assert.equal((await running.ended).exitCode, 12);
  });
  matrixCase('INT alone is the command’s own affair', async (setting) => {
    const script = `trap 'echo int' INT; trap 'exit 3' TERM; echo up; ${wait}`;
    await using running = await setting.start(shell(script), { flags: [patient] });
    await running.waitFor(/up/);
    await running.signal(INT);
    await running.waitFor(/int/);
    await running.signal(INT);
    await running.waitFor(/int\nint/);
    await running.signal(TERM);
    assert.equal((await running.ended).exitCode, 3);
  });
});

matrix('without a command it waits until it is told to stop', (matrixCase) => {
  // What was forked before it is there to say that it runs: only then is USR1 caught (bit 9 of SigCgt, proc_pid_status(5)).
  const via =
    '(until grep -q "^SigCgt:.*[2367abef]..$" /proc/$$/status; do sleep 0.05; done; echo up; exec sleep 60) & exec "$@"';
  for (const [name, number] of Object.entries({ TERM, INT })) {
    matrixCase(`${name} ends it with 0`, async (setting) => {
      await using running = await setting.start([], { via, instead: ['/init', '--strategy=none'] });
      await running.waitFor(/up/);
      await running.signal(number);
      assert.equal((await running.ended).exitCode, 0);
    });
  }
});
