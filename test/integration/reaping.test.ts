import assert from 'node:assert/strict';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

const orphans = (...args: string[]): string[] => ['perl', '/programs/orphans.pl', ...args];

namespaceTest('1,000 orphans in sessions of their own that end at once leave no zombie', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const outcome = await bootInNamespace(machine, { args: plain(...orphans('1000', 'count')) });
  assert.equal(outcome.stdout, 'adopted=all zombies=0\n', outcome.stderr);
  assert.equal(outcome.exitCode, 42);
});

namespaceTest('under a PID 1 that does not wait for them, the same orphans stay zombies', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const outcome = await bootInNamespace(machine, {
    program: ['sh', '-c', '"$@" & exec sleep 3', 'sh'],
    args: orphans('100', 'count'),
  });
  assert.match(outcome.stdout, /adopted=all zombies=[1-9]/);
});

namespaceTest('a main command that ends among hundreds of orphans keeps its code', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  for (const code of [0, 1, 77, 200, 255]) {
    const { exitCode } = await bootInNamespace(machine, { args: plain(...orphans('500', `${code}`)) });
    assert.equal(exitCode, code);
  }
});

namespaceTest('a stopped child is not taken for an ended one', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const script = '(sleep 0.5; kill -CONT $$) & kill -STOP $$; echo continued; exit 9';
  const outcome = await bootInNamespace(machine, { args: plain('sh', '-c', script) });
  assert.deepEqual(outcome, { exitCode: 9, stdout: 'continued\n', stderr: '' });
});
