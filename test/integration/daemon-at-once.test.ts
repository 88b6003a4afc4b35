import assert from 'node:assert/strict';
import { greet } from '../harness/greeting.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';

const withDaemon = (...command: string[]): string[] => [
  ...['--strategy', 'overlay', '--on-unsupported', 'fail', '--'],
  ...command,
];

namespaceTest(
  'a main command that connects to the daemon at once is answered, 100 times of 100',
  async () => {
    await using machine = await makeNixMachine({ images: ['A'] }, withDaemon);
    for (let count = 0; count < 100; count += 1) {
      const { exitCode, stdout, stderr } = await machine.boot(['perl', '-e', greet]);
      assert.deepEqual([exitCode, stdout], [0, 'answered\n'], stderr);
    }
  },
);
