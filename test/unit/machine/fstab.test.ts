import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTable } from '../../../src/machine/fstab.ts';

test('lines of fstab are read, comments and halves of lines are not', () => {
  const text =
    '# a comment\n\n/dev/vdb\t/nix-cache ext4  noatime,nofail 0 0\n/dev/vdc /half\n/dev/vdd /plain xfs\n';
  assert.deepEqual(parseTable(text), [
    { source: '/dev/vdb', target: '/nix-cache', type: 'ext4', options: ['noatime', 'nofail'] },
    { source: '/dev/vdd', target: '/plain', type: 'xfs', options: ['defaults'] },
  ]);
});

test('blanks in a field are written in octal', () => {
  assert.equal(parseTable('/dev/vdb /my\\040cache ext4')[0]?.target, '/my cache');
});
