import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  listProcesses,
  type ProcessEntry,
  parseStat,
  sendSignal,
  withDescendants,
} from '../../../src/linux/process.ts';

const stats: [string, string, ProcessEntry | undefined][] = [
  [
    'an ordinary one',
    '7 (sh) S 1 7 7 0 -1\n',
    { pid: 7, name: 'sh', parent: 1, group: 7, session: 7, zombie: false },
  ],
  ['a thread of the kernel', '2 (kthreadd) S 0 0 0 0 -1 2129984 0 0\n', undefined],
  [
    'blanks in the name',
    '8 (a b c) R 7 8 7 0\n',
    { pid: 8, name: 'a b c', parent: 7, group: 8, session: 7, zombie: false },
  ],
  [
    'brackets in the name',
    '9 (a) Z 1 (b) S 2 3 4\n',
    { pid: 9, name: 'a) Z 1 (b', parent: 2, group: 3, session: 4, zombie: false },
  ],
  [
    'a line break in the name',
    '9 (a\n) b) T 2 3 4\n',
    { pid: 9, name: 'a\n) b', parent: 2, group: 3, session: 4, zombie: false },
  ],
  ['a zombie', '10 (sh) Z 1 7 7 0\n', { pid: 10, name: 'sh', parent: 1, group: 7, session: 7, zombie: true }],
  [
    'a dead one',
    '10 (sh) X 1 7 7 0\n',
    { pid: 10, name: 'sh', parent: 1, group: 7, session: 7, zombie: true },
  ],
  [
    'one of another namespace',
    '11 (sh) S 0 0 0 0\n',
    { pid: 11, name: 'sh', parent: 0, group: 0, session: 0, zombie: false },
  ],
  ['nothing', '', undefined],
  ['half a line', '12 (sh) S', undefined],
];

for (const [name, text, entry] of stats) {
  test(`/proc/PID/stat: ${name}`, () => assert.deepEqual(parseStat(text), entry));
}

test('the list holds this process as the kernel has it', () => {
  const own = listProcesses().find(({ pid }) => pid === process.pid);
  assert.equal(own?.parent, process.ppid);
  assert.equal(own?.zombie, false);
});

const entry = (pid: number, parent: number): ProcessEntry => ({
  pid,
  name: '',
  parent,
  group: pid,
  session: pid,
  zombie: false,
});

// Children come before their parents here: one pass over the list would miss them.
const family = [entry(40, 30), entry(30, 20), entry(20, 10), entry(50, 1), entry(10, 1), entry(60, 50)];

const descents: [number[], number[]][] = [
  [[10], [10, 20, 30, 40]],
  [[30], [30, 40]],
  [
    [20, 50],
    [20, 30, 40, 50, 60],
  ],
  [[99], [99]],
  [[], []],
];

for (const [roots, expected] of descents) {
  test(`below ${roots.join(' and ') || 'nobody'}: ${expected.join(', ') || 'nobody'}`, () => {
    assert.deepEqual([...withDescendants(roots, family)].sort(), expected);
  });
}

test('a process that is its own parent does not go round for ever', () => {
  assert.deepEqual([...withDescendants([5], [entry(5, 5)])], [5]);
});

test('a process that is gone is no error', () => {
  // Beyond the kernel's limit of PIDs (proc(5)): nobody's, ever.
  assert.equal(sendSignal(2 ** 22 + 1, 0), false);
  assert.equal(sendSignal(process.pid, 0), true);
});
