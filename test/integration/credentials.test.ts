import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { asIdentity, type Identity, readCredentials } from '../../src/linux/credentials.ts';
import { Prctl, prctl } from '../../src/linux/prctl.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

const someone: Identity = { uid: 4711, gid: 4712, groups: [4712, 4713], home: '/' };

/** What a change of the user ID takes away without being asked. */
function kernelState() {
  const deathSignal = Buffer.alloc(128);
  prctl(Prctl.getDeathSignal, deathSignal);
  return { ...readCredentials(), dumpable: prctl(Prctl.getDumpable), signal: deathSignal.readInt32LE(0) };
}

namespaceTest('asIdentity changes the main thread alone, and puts everything back', async () => {
  prctl(Prctl.setDeathSignal, 10n);
  const before = kernelState();
  assert.equal(before.signal, 10);
  const inside = asIdentity(someone, () => ({
    own: readCredentials(),
    other: readFileSync(`/proc/self/task/${otherThread()}/status`, 'latin1'),
  }));
  assert.deepEqual(
    [inside.own.uids, inside.own.gids],
    [
      [4711, 4711, 0],
      [4712, 4712, 4712],
    ],
  );
  assert.deepEqual(inside.own.groups, [4712, 4713]);
  assert.match(inside.other, /^Uid:\t0\t0\t0\t0$/m);
  assert.deepEqual(kernelState(), before);
});

namespaceTest('asIdentity puts everything back when what it runs throws', async () => {
  const before = kernelState();
  assert.throws(() => asIdentity(someone, () => assert.fail('on purpose')), /on purpose/);
  // Groups were set by the time this fails.
  const impossible = { ...someone, uid: 2 ** 32 - 1 };
  assert.throws(() => asIdentity({ ...impossible, gid: -1 }, () => undefined));
  assert.deepEqual(kernelState(), before);
});

function otherThread(): number {
  const threads = process.getBuiltinModule('node:fs').readdirSync('/proc/self/task').map(Number);
  return threads.find((thread) => thread !== process.pid) ?? -1;
}
