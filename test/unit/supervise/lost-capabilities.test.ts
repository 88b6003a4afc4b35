import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CapabilitySets, capabilityMask } from '../../../src/linux/capabilities.ts';
import { changeOf, parseCapabilityList } from '../../../src/supervise/lost-capabilities.ts';
import { dockerCapabilities, isInitError } from '../fixtures.ts';

const everything = (1n << 41n) - 1n;
const sysAdmin = capabilityMask('SYS_ADMIN');
const setpcap = capabilityMask('SETPCAP');
const chown = capabilityMask('CHOWN');

const sets = (held: bigint, changes: Partial<CapabilitySets> = {}): CapabilitySets => ({
  inheritable: 0n,
  permitted: held,
  effective: held,
  bounding: held,
  ambient: 0n,
  ...changes,
});

const change = (
  capabilities: 'auto' | 'keep' | readonly string[],
  own: CapabilitySets,
  { root = true, allCapabilities = () => everything } = {},
) => changeOf({ capabilities, own, root, allCapabilities });

const unchanged = { lost: 0n, droppable: 0n, ambient: undefined };
const withoutSysAdmin = { lost: sysAdmin, droppable: sysAdmin, ambient: undefined };

test('auto takes SYS_ADMIN where it was added', () => {
  assert.deepEqual(change('auto', sets(dockerCapabilities)), withoutSysAdmin);
  assert.deepEqual(change('auto', sets(everything & ~capabilityMask('SYS_BOOT'))), withoutSysAdmin);
});

test('auto takes nothing from a fully privileged container', () => {
  assert.deepEqual(change('auto', sets(everything)), unchanged);
  // A kernel that knows fewer, or more of which the container has them too.
  assert.deepEqual(change('auto', sets(everything), { allCapabilities: () => everything >> 1n }), unchanged);
});

test('auto asks the kernel for nothing where SYS_ADMIN is not in play', () => {
  const allCapabilities = (): bigint => assert.fail('asked');
  const own = sets(dockerCapabilities & ~sysAdmin);
  assert.deepEqual(change('auto', own, { allCapabilities }), unchanged);
  assert.deepEqual(change('keep', sets(dockerCapabilities), { allCapabilities }), unchanged);
});

test('auto without SETPCAP takes what it can, and warns where SYS_ADMIN is held', () => {
  const { warning, ...rest } = change('auto', sets(dockerCapabilities & ~setpcap, { inheritable: sysAdmin }));
  assert.deepEqual(rest, { lost: sysAdmin, droppable: 0n, ambient: undefined });
  assert.match(warning ?? '', /SYS_ADMIN.*SETPCAP/);
  // A user who is not root: in the bounding set only.
  const user = change('auto', sets(0n, { bounding: dockerCapabilities }));
  assert.equal(user.warning, undefined);
  assert.equal(user.droppable, 0n);
});

test('keep changes nothing', () => assert.deepEqual(change('keep', sets(dockerCapabilities)), unchanged));

test('a list takes all others, from the inheritable set too', () => {
  const own = sets(dockerCapabilities, { inheritable: chown | setpcap });
  const listed = change(['CHOWN'], own);
  assert.deepEqual(listed, {
    lost: dockerCapabilities & ~chown,
    droppable: dockerCapabilities & ~chown,
    ambient: undefined,
  });
  assert.equal(change([], own).droppable, dockerCapabilities);
});

test('a list is ambient for a user who is not root', () => {
  assert.equal(change(['CHOWN'], sets(dockerCapabilities), { root: false }).ambient, chown);
  assert.equal(change([], sets(dockerCapabilities), { root: false }).ambient, 0n);
});

test('a list that cannot be honoured is refused with 77', () => {
  assert.throws(
    () => change(['BPF', 'CHOWN', 'NET_ADMIN'], sets(dockerCapabilities)),
    isInitError({
      exitCode: 77,
      errno: 'EPERM',
      what: /NET_ADMIN, BPF/,
      remedy: /--cap-add NET_ADMIN --cap-add BPF/,
    }),
  );
  assert.throws(
    () => change(['CHOWN'], sets(dockerCapabilities & ~setpcap)),
    isInitError({ exitCode: 77, errno: 'EPERM', what: /SETPCAP/, remedy: /--cap-add SETPCAP/ }),
  );
  // Nothing to take away needs nothing.
  assert.equal(change(['CHOWN'], sets(chown)).droppable, 0n);
});

test('names are read with or without CAP_, in any case', () => {
  assert.equal(
    parseCapabilityList(['CAP_CHOWN', 'cap_sys_admin', 'SetPCap', 'CHOWN']),
    chown | sysAdmin | setpcap,
  );
  assert.equal(parseCapabilityList([]), 0n);
});

for (const [name, meant] of [
  ['net_bind_services', 'NET_BIND_SERVICE'],
  ['CAP_SYS_ADMN', 'SYS_ADMIN'],
  ['', 'BPF'],
] as const) {
  test(`the name ${JSON.stringify(name)} is refused with 78 and ${meant}`, () => {
    assert.throws(
      () => parseCapabilityList(['CHOWN', name]),
      isInitError({ exitCode: 78, stage: 'config', remedy: new RegExp(`did you mean ${meant}\\?`) }),
    );
  });
}
