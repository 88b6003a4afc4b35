import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitsOf } from '../../../src/linux/bits.ts';
import {
  capabilityMask,
  type capabilityNames,
  describeCapabilities,
  hasSysAdmin,
  isInitialUidMap,
} from '../../../src/linux/capabilities.ts';

const status = (effective: string, others = '000001ffffffffff'): string =>
  `Name:\tnode\nCapInh:\t${others}\nCapPrm:\t${others}\nCapEff:\t${effective}\nCapBnd:\t${others}\nCapAmb:\t0000000000000000\n`;

const sets: [string, string, boolean][] = [
  ['all', '000001ffffffffff', true],
  ['CAP_SYS_ADMIN alone', '0000000000200000', true],
  ['all but CAP_SYS_ADMIN', '000001ffffdfffff', false],
  ["Docker's default", '00000000a80425fb', false],
  ["Docker's default and SYS_ADMIN", '00000000a82425fb', true],
  ['its neighbours', '0000000000500000', false],
  ['none', '0000000000000000', false],
];

for (const [name, mask, expected] of sets) {
  test(`CAP_SYS_ADMIN in the effective set: ${name}`, () =>
    assert.equal(hasSysAdmin(status(mask)), expected));
}

test('only the effective set counts', () => {
  assert.equal(hasSysAdmin(status('0000000000000000', '000001ffffffffff')), false);
  assert.equal(hasSysAdmin(status('0000000000200000', '0000000000000000')), true);
});

test('a status without the line means no', () => assert.equal(hasSysAdmin('Name:\tnode\n'), false));

const maps: [string, string, boolean][] = [
  ['the initial namespace', '         0          0 4294967295\n', true],
  ['a rootless engine', '         0       1000          1\n', false],
  ['userns-remap', '         0     100000      65536\n', false],
  [
    'the identity in two pieces',
    '         0          0       1000\n      1000       1000 4294966295\n',
    false,
  ],
  ['a shifted start', '         1          0 4294967295\n', false],
  ['not mapped yet', '', false],
];

for (const [name, map, expected] of maps) {
  test(`uid_map of ${name}`, () => assert.equal(isInitialUidMap(map), expected));
}

// <linux/capability.h>
const numbers: [(typeof capabilityNames)[number], number][] = [
  ['CHOWN', 0],
  ['SETGID', 6],
  ['SETUID', 7],
  ['SETPCAP', 8],
  ['NET_BIND_SERVICE', 10],
  ['SYS_ADMIN', 21],
  ['SYS_RESOURCE', 24],
  ['SETFCAP', 31],
  ['MAC_OVERRIDE', 32],
  ['CHECKPOINT_RESTORE', 40],
];

for (const [name, number] of numbers) {
  test(`CAP_${name} is number ${number}`, () => {
    assert.equal(capabilityMask(name), 1n << BigInt(number));
    assert.deepEqual(bitsOf(capabilityMask(name)), [number]);
  });
}

test('a mask is described by names, and by number where it has none', () => {
  assert.equal(describeCapabilities(capabilityMask('CHOWN') | capabilityMask('BPF')), 'CHOWN, BPF');
  assert.equal(describeCapabilities(1n << 45n), '45');
});
