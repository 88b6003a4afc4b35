import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeWaitStatus, type Ended, exitCodeOf } from '../../../src/linux/wait.ts';

const statuses: [string, number, Ended, number][] = [
  ['exit 0', 0x0000, { pid: 5, code: 0 }, 0],
  ['exit 1', 0x0100, { pid: 5, code: 1 }, 1],
  ['exit 127', 0x7f00, { pid: 5, code: 127 }, 127],
  ['exit 255', 0xff00, { pid: 5, code: 255 }, 255],
  ['SIGHUP', 1, { pid: 5, signal: 1 }, 129],
  ['SIGKILL', 9, { pid: 5, signal: 9 }, 137],
  ['SIGTERM', 15, { pid: 5, signal: 15 }, 143],
  ['SIGSEGV and a core file', 0x80 | 11, { pid: 5, signal: 11 }, 139],
  ['the last real-time signal', 64, { pid: 5, signal: 64 }, 192],
];

for (const [name, status, ended, code] of statuses) {
  test(`${name} is ${code}`, () => {
    assert.deepEqual(decodeWaitStatus(5, status), ended);
    assert.equal(exitCodeOf(ended), code);
  });
}
