import assert from 'node:assert/strict';
import type { Restart, ServiceSpec } from '../../src/config/services.ts';
import { backoffMs } from '../../src/supervise/backoff.ts';
import { type Booted, startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { acting, logged, said, serving } from '../harness/services.ts';

/** Boots with one service, beside a command that stays until `end` is called. */
async function startWith(machine: Machine, web: ServiceSpec): Promise<Booted> {
  await machine.shell('mkfifo tmp/end');
  const args = ['--log-level=info', ...serving({ web }, 'await:/tmp/end', 'exit:5')];
  return await startBoot(machine, { args });
}

async function end(machine: Machine, booted: Booted): Promise<string> {
  await machine.shell('echo >tmp/end');
  const { exitCode, stderr } = await booted.ended;
  assert.equal(exitCode, 5, 'the status is the command’s, whatever becomes of a service');
  return stderr;
}

namespaceTest(
  'a service that crashes comes back, later each time, and five in a row are reported once',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    await using booted = await startWith(machine, acting('web', 'say:up', 'exit:3'));
    await booted.waitForError(/(web up[\s\S]*){7}/);
    const stderr = await end(machine, booted);
    const restarts = logged(stderr).filter(({ msg }) => msg.endsWith('starting it again'));
    const starts = said(stderr).length;
    // It does not spin: no start without its delay. The last may be under way.
    assert.ok(starts - restarts.length <= 1 && starts <= 8, `${starts} starts, ${restarts.length} delays`);
    for (const [index, { delay, crashes }] of restarts.entries())
      assert.deepEqual([delay, crashes], [backoffMs(index + 1), index + 1]);
    const times = logged(stderr)
      .filter(({ msg }) => msg.includes('ended with status 3, starting'))
      .map(({ time }) => Date.parse(String(time)));
    for (const [index, time] of times.slice(1).entries())
      assert.ok(
        time - (times[index] ?? 0) >= backoffMs(index + 1) - 50,
        `restart ${index + 1} came too early`,
      );
    const loud = logged(stderr).filter(({ level }) => level >= 50);
    assert.deepEqual(
      loud.map(({ msg }) => msg),
      ['service web ended with status 3, 5 times in a row; still trying'],
    );
  },
);

namespaceTest('a command that is not there is a crash, said at once and not each time', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using booted = await startWith(machine, { command: 'no-such-program' });
  await booted.waitForError(/"crashes":6/);
  const stderr = await end(machine, booted);
  const loud = logged(stderr).filter(({ level }) => level >= 40);
  const why = "cannot be started: ENOENT: posix_spawn 'no-such-program'";
  assert.deepEqual(
    loud.map(({ msg }) => msg),
    [`service web ${why}`, `service web ${why}, 5 times in a row; still trying`],
  );
});

const policies: [Restart, string, number][] = [
  ['always', 'exit:0', 2],
  ['always', 'exit:4', 2],
  ['on-failure', 'exit:0', 1],
  ['on-failure', 'exit:4', 2],
  ['on-failure', 'kill:KILL', 2],
  ['never', 'exit:0', 1],
  ['never', 'exit:4', 1],
  ['never', 'kill:KILL', 1],
];

for (const [restart, act, starts] of policies) {
  namespaceTest(`${restart}, after ${act}: started ${starts === 1 ? 'once' : 'again'}`, async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const web = { ...acting('web', 'say:up', 'first:/tmp/mark', act), restart };
    await using booted = await startWith(machine, web);
    if (starts === 2) await booted.waitForError(/web up[\s\S]*web up/);
    else await booted.waitForError(/stays ended/);
    const stderr = await end(machine, booted);
    assert.equal(said(stderr).length, starts);
  });
}
