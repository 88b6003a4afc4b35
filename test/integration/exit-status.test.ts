import assert from 'node:assert/strict';
import { inLanes } from '../harness/lanes.ts';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

namespaceTest('every exit code from 0 to 255 is handed on as it is', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await inLanes(4, numbers(0, 255), async (code) => {
    const outcome = await bootInNamespace(machine, { args: plain('sh', '-c', `exit ${code}`) });
    assert.deepEqual(outcome, { exitCode: code, stdout: '', stderr: '' });
  });
});

// By default these stop, continue or are ignored (signal(7)).
const harmless = [17, 18, 19, 20, 21, 22, 23, 28];

namespaceTest('a main command that signal n ended gives 128+n', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const deadly = [...numbers(1, 31).filter((signal) => !harmless.includes(signal)), 34, 64];
  await inLanes(4, deadly, async (signal) => {
    // Perl itself ignores SIGFPE.
    const command = ['perl', '-e', `$SIG{FPE} = 'DEFAULT'; kill(${signal}, $$); sleep 60`];
    const { exitCode } = await bootInNamespace(machine, { args: plain(...command) });
    assert.equal(exitCode, 128 + signal);
  });
});

namespaceTest('exitCodes maps the status of the main command, and only that one', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = (code: number): string[] => ['--exit-codes', '{"7":0}', ...plain('sh', '-c', `exit ${code}`)];
  assert.equal((await bootInNamespace(machine, { args: args(7) })).exitCode, 0);
  assert.equal((await bootInNamespace(machine, { args: args(8) })).exitCode, 8);
});
