import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseMountInfo } from '../../../src/linux/mountinfo.ts';
import { lookAtHost } from '../../../src/store/host-facts.ts';
import { temporaryDirectory } from '../fixtures.ts';

const name = (letter: string): string => `${letter.repeat(32)}-package`;

function look(base: string, mounts = '', PATH = '') {
  const root = '1 0 0:1 / / rw - ext4 /dev/a rw';
  return lookAtHost({
    storeDir: `${base}/store`,
    socket: `${base}/socket`,
    mounts: parseMountInfo(`${root}\n${mounts}`),
    env: { PATH },
  });
}

test('whose the store is, the mounts tell', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const kind = async (options: string, target = `${base}/store`) =>
    (await look(base, `2 1 0:2 / ${target} ${options} - ext4 /dev/b rw`)).mounted;
  assert.equal((await look(base)).mounted, 'no');
  assert.equal(await kind('ro'), 'read-only');
  assert.equal(await kind('rw'), 'writable');
  // All of the host's /nix, say.
  assert.equal(await kind('ro', base), 'read-only');
  assert.equal(await kind('ro', `${base}/other`), 'no');
});

test('a socket is mounted by itself, or with its directory', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const alone = async (target: string) =>
    (await look(base, `2 1 0:2 / ${target} rw - ext4 /dev/b rw`)).socketAlone;
  assert.deepEqual([await alone(`${base}/socket`), await alone(base)], [true, false]);
});

test('the daemon is asked of paths of the store, of a few, and of nothing else', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  assert.equal((await look(base)).asked, 0);
  mkdirSync(`${base}/store/.links`, { recursive: true });
  mkdirSync(`${base}/store/lost+found`);
  mkdirSync(`${base}/store/${name('a')}`);
  writeFileSync(`${base}/store/${name('b')}.lock`, '');
  assert.equal((await look(base)).asked, 1);
  for (let number = 100; number < 200; number += 1)
    writeFileSync(`${base}/store/${String(number).padStart(32, '0')}-x`, '');
  assert.equal((await look(base)).asked, 32);
});

test('what leads into the store and is not there is lost, whatever the way', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  mkdirSync(`${base}/store/${name('a')}/bin`, { recursive: true });
  mkdirSync(`${base}/profiles`);
  symlinkSync(`${base}/store/${name('a')}`, `${base}/profiles/kept`);
  symlinkSync(`${base}/store/${name('b')}`, `${base}/profiles/gone-1`);
  symlinkSync('gone-1', `${base}/profiles/gone`);
  symlinkSync('round', `${base}/profiles/round`);
  symlinkSync('/no/such/place', `${base}/profiles/elsewhere`);
  const store = `${base}/store/${name('b')}/bin`;
  const path = ['kept/bin', 'gone/bin', 'round/bin', 'elsewhere/bin', 'missing'].map(
    (entry) => `${base}/profiles/${entry}`,
  );
  const { lost } = await look(
    base,
    '',
    [...path, store, `${base}/store/${name('a')}/bin`, 'relative', ''].join(':'),
  );
  assert.deepEqual(lost, [`${base}/profiles/gone/bin`, store]);
});
