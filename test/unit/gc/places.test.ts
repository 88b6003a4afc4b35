import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import { findCollectable } from '../../../src/gc/places.ts';
import type { MountInfo } from '../../../src/linux/mountinfo.ts';
import { runLayout } from '../../../src/store/run-layout.ts';
import { isInitError, makeConfig, temporaryDirectory } from '../fixtures.ts';

const mount = (target: string, changes: Partial<MountInfo> = {}): MountInfo => ({
  ...{ id: 2, parent: 1, root: '/', target, options: ['rw'], type: 'ext4', source: 'x', superOptions: [] },
  ...changes,
});
const root = mount('/', { id: 1, parent: 0 });
const over = (upper: string): MountInfo[] => [
  root,
  mount(runLayout.lowerStore, { id: 3 }),
  mount('/nix/store', { type: 'overlay', superOptions: [`upperdir=${upper}`] }),
];

test('beside the image, Nix is given the volume’s layer and state alone', () => {
  using directory = temporaryDirectory();
  const cacheDir = directory.path;
  for (const name of ['upper', 'var/nix']) mkdirSync(`${cacheDir}/${name}`, { recursive: true });
  const found = findCollectable(makeConfig({ strategy: 'overlay', cacheDir }), [root], {});
  assert.ok(found.kind === 'store');
  assert.equal(found.directory, `${cacheDir}/upper`);
  const [flag, uri = ''] = found.storeFlags;
  assert.equal(flag, '--store');
  const parameters = new URLSearchParams(uri.slice(uri.indexOf('?')));
  assert.deepEqual(
    ['store', 'real', 'state'].map((name) => parameters.get(name)),
    ['/nix/store', `${cacheDir}/upper`, `${cacheDir}/var/nix`],
  );
});

test('access times count where the kernel keeps them', () => {
  const kept = (options: string[]): boolean => {
    const mounts = [mount('/', { id: 1, parent: 0, options })];
    const found = findCollectable(makeConfig({ strategy: 'prefix' }), mounts, {});
    return found.kind === 'store' && found.accessTimes;
  };
  assert.equal(kept(['rw', 'relatime']), true);
  assert.equal(kept(['rw', 'noatime']), false);
});

test('who only reads, and whose store is the host’s, is refused', () => {
  const find =
    (changes: Partial<Config>, mounts = [root]) =>
    () =>
      findCollectable(makeConfig(changes), mounts, {});
  const refused = { exitCode: 78, stage: 'gc', errno: 'EROFS' } as const;
  assert.throws(find({ strategy: 'host' }), isInitError(refused));
  assert.throws(find({ strategy: 'overlay' }, over(runLayout.upper)), isInitError(refused));
  assert.throws(find({ strategy: 'substituter', access: 'read-only' }), isInitError(refused));
});
