import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { bootInNamespace, type NamespaceBoot, plain, startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import type { Outcome } from '../harness/run.ts';

const shell = (script: string): string[] => ['sh', '-c', script];
/** On TERM it takes its time, and leaves a note that it could finish. */
const slow = (seconds: number, note: string): string =>
  `setsid sh -c 'trap "sleep ${seconds} && echo finished >${note}; exit" TERM; echo up; while :; do sleep 0.1; done' &`;
/** TERM is ignored, and by the children too. */
const stubborn = `setsid sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done' &`;

namespaceTest('a main command that obeys TERM ends it with 143, long before the grace is over', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const { outcome, seconds } = await terminate(machine, { args: plain(...shell('echo up; exec sleep 60')) });
  assert.deepEqual([outcome.exitCode, outcome.stderr], [143, '']);
  assert.ok(seconds < 3, `${seconds} s`);
});

namespaceTest('a stopped main command is continued, so that TERM can end it', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const script = '(kill -STOP $$; sleep 0.2; echo up) & exec sleep 60';
  const { outcome, seconds } = await terminate(machine, { args: plain(...shell(script)) });
  assert.equal(outcome.exitCode, 143);
  assert.ok(seconds < 3, `${seconds} s`);
});

namespaceTest('a grandchild in a session of its own that needs three seconds gets them', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = plain(...shell(`${slow(3, '/tmp/note')} exec sleep 60`));
  const { outcome, seconds } = await terminate(machine, { args });
  assert.equal(outcome.exitCode, 143);
  assert.equal(readFileSync(machine.path('/tmp/note'), 'utf8'), 'finished\n');
  assert.ok(seconds >= 3 && seconds < 7, `${seconds} s`);
});

namespaceTest('whoever ignores TERM is killed before the grace is over', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = ['--shutdown-grace=2s', ...plain(...shell(`${stubborn} exec sleep 60`))];
  const { outcome, seconds } = await terminate(machine, { args });
  assert.equal(outcome.exitCode, 143);
  assert.ok(seconds > 1 && seconds < 5, `${seconds} s`);
});

namespaceTest('a main command that ignores TERM is killed before the grace is over', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = [
    '--shutdown-grace=2s',
    ...plain(...shell('trap "" TERM; echo up; while :; do sleep 0.1; done')),
  ];
  const { outcome, seconds } = await terminate(machine, { args });
  assert.equal(outcome.exitCode, 137);
  assert.ok(seconds > 1 && seconds < 5, `${seconds} s`);
});

namespaceTest('a second TERM ends the patience, and so does an INT', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const script = 'trap "echo told" TERM; trap "" INT; echo up; while :; do sleep 0.1; done';
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const args = ['--shutdown-grace=60s', ...plain(...shell(script))];
    await using booted = await startBoot(machine, { args });
    await booted.waitFor(/up/);
    booted.signal('SIGTERM');
    await booted.waitFor(/told/);
    const started = performance.now();
    booted.signal(signal);
    assert.equal((await booted.ended).exitCode, 137);
    assert.ok(performance.now() - started < 10_000);
  }
});

namespaceTest(
  'daemons that outlive the main command get the same courtesy, and its status stays',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const script = `${slow(1, '/tmp/note')} sleep 0.5; exit 33`;
    const outcome = await bootInNamespace(machine, { args: plain(...shell(script)) });
    assert.equal(outcome.exitCode, 33);
    assert.equal(readFileSync(machine.path('/tmp/note'), 'utf8'), 'finished\n');

    const args = ['--shutdown-grace=1s', ...plain(...shell(`${stubborn} sleep 0.5; exit 34`))];
    assert.equal((await bootInNamespace(machine, { args })).exitCode, 34);
  },
);

namespaceTest('without a main command it waits until it is told to stop, and ends with 0', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // What was forked before it is there to say that it runs.
    const via = '(sleep 0.5; echo up; exec sleep 60) & exec "$@"';
    await using booted = await startBoot(machine, { via, args: ['--strategy=none'] });
    await booted.waitFor(/up/);
    booted.signal(signal);
    assert.equal((await booted.ended).exitCode, 0);
  }
});

const ways: Record<string, string> = {
  'by itself': 'exit 0',
  'with a daemon left': `${slow(0, '/tmp/note')} sleep 0.5; exit 0`,
  'with a file of the overlay open': 'exec 9</nix/store; setsid sh -c "exec sleep 60" & exit 0',
  'in the store': 'cd /nix/store; setsid sleep 60 & exit 0',
};
for (const [way, script] of Object.entries(ways)) {
  namespaceTest(`after a main command that ended ${way}, nothing is mounted, the volume free`, async () => {
    await using machine = await makeMachine();
    await fillImage(machine);
    const before = machine.mounts();
    for (let boot = 0; boot < 2; boot += 1) {
      const outcome = await bootInNamespace(machine, { shared: true, args: overlay(...shell(script)) });
      assert.equal(outcome.exitCode, 0, outcome.stderr);
      assert.deepEqual(machine.mounts(), before);
    }
  });
}

/** Boots, waits until it is up, sends TERM to init, and says how long the end took from there. */
async function terminate(
  machine: Machine,
  boot: NamespaceBoot,
): Promise<{ outcome: Outcome; seconds: number }> {
  await using booted = await startBoot(machine, boot);
  await booted.waitFor(/^up$/m);
  const started = performance.now();
  booted.signal('SIGTERM');
  const outcome = await booted.ended;
  return { outcome, seconds: (performance.now() - started) / 1000 };
}
