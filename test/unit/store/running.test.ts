import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runningStrategy } from '../../../src/store/running.ts';
import { temporaryDirectory } from '../fixtures.ts';

const { pid: gone } = spawnSync('true');

const records: [string, string | undefined, string | undefined][] = [
  ['of an init that runs', `{"strategy": "prefix", "pid": ${process.ppid}}`, 'prefix'],
  ['of one that is gone', `{"strategy": "prefix", "pid": ${gone}}`, undefined],
  ['of one whose number is ours now', `{"strategy": "prefix", "pid": ${process.pid}}`, undefined],
  ['that is not whole', '{"strategy": "pre', undefined],
  ['that is something else', 'null', undefined],
  ['that is not there', undefined, undefined],
];

for (const [name, text, expected] of records) {
  test(`the strategy that runs, by a record ${name}`, () => {
    using directory = temporaryDirectory();
    const file = `${directory.path}/boot.json`;
    if (text !== undefined) writeFileSync(file, text);
    assert.equal(runningStrategy(file), expected);
  });
}
