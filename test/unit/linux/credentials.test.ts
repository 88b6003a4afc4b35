import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCredentials, readCredentials } from '../../../src/linux/credentials.ts';

const status = `Name:\tnode
Umask:\t0022
Uid:\t1000\t1001\t1002\t1001
Gid:\t10\t11\t12\t11
Groups:\t11 27 4294967294 
NoNewPrivs:\t1
CapInh:\t0000000000000001
CapPrm:\t0000000000000003
CapEff:\t0000000000000002
CapBnd:\t000001ffffffffff
CapAmb:\t0000000000000000
`;

test('a status gives real, effective and saved IDs, groups, capabilities and no_new_privs', () => {
  assert.deepEqual(parseCredentials(status), {
    uids: [1000, 1001, 1002],
    gids: [10, 11, 12],
    groups: [11, 27, 4294967294],
    noNewPrivileges: true,
    capabilities: {
      inheritable: 1n,
      permitted: 3n,
      effective: 2n,
      bounding: 0x1ffffffffffn,
      ambient: 0n,
    },
  });
});

test('no groups are no groups, and the next line is none', () => {
  const none = status.replace(/^Groups:.*$/m, 'Groups:\t ').replace('NoNewPrivs:\t1', 'NoNewPrivs:\t0');
  assert.deepEqual(parseCredentials(none).groups, []);
  assert.equal(parseCredentials(none).noNewPrivileges, false);
});

test('a status without IDs is refused', () => {
  assert.throws(() => parseCredentials('Name:\tnode\n'), /Uid/);
});

test('our own are those that Node knows', () => {
  const { uids, gids } = readCredentials();
  assert.deepEqual([uids[0], uids[1]], [process.getuid?.(), process.geteuid?.()]);
  assert.deepEqual([gids[0], gids[1]], [process.getgid?.(), process.getegid?.()]);
});
