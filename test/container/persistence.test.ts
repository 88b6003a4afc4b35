import assert from 'node:assert/strict';
import { boot, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertBuilt, assertNothingBuilt, assertStoreIsSound, build } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest('what one container built is there in the next, for root and for a user', async () => {
  await using volume = await makeVolume();
  let path: string;
  {
    await using first = await startIdle({ volume: volume.name });
    path = assertBuilt(await first.exec(build('c')), 'c');
  }
  await using second = await startIdle({ volume: volume.name });
  assert.equal(assertNothingBuilt(await second.exec(build('c'))), path);
  const asRoot = await second.exec(['nix', 'path-info', path]);
  assert.equal(asRoot.stdout.trim(), path, asRoot.stderr);

  const asUser = await second.exec(['nix', 'path-info', '--store', 'daemon', path], '--user', 'alice');
  assert.equal(asUser.stdout.trim(), path, asUser.stderr);
  await assertStoreIsSound(second);
});

containerTest('upper/ holds only what was added, never the paths of the image', async () => {
  await using volume = await makeVolume();
  const script =
    'nix-build /packages.nix -A c --no-out-link && nix-store -qR $(nix-build /packages.nix -A b)';
  const built = await boot({ volume: volume.name, command: ['sh', '-euc', script] });
  assert.equal(built.exitCode, 0, built.stderr);
  const [c = '', ...image] = built.stdout.trim().split('\n');

  const upper = (await volume.shell('ls -A /nix-cache/upper')).stdout.split('\n');
  const added = upper.filter((name) => /^[a-z0-9]{32}-/.test(name));
  assert.ok(added.includes(c.replace('/nix/store/', '')), upper.join(' '));
  for (const path of image) assert.ok(!added.includes(path.replace('/nix/store/', '')), `${path} was copied`);
  const unexpected = added.filter((name) => !/-c(\.drv)?$/.test(name));
  assert.deepEqual(unexpected, []);
});

containerTest('the database of the image is complete in the volume: profiles and roots too', async () => {
  await using volume = await makeVolume();
  await using container = await startIdle({ volume: volume.name });
  const script = [
    'nix-store -q --references /nix/var/nix/profiles/default/',
    'nix-store -q --hash /nix/var/nix/gcroots/w',
    'nix-store -q --deriver /nix/var/nix/gcroots/w',
    'nix-store --gc --print-roots',
  ].join('; ');
  const seen = await container.exec(['sh', '-euc', script]);
  assert.equal(seen.exitCode, 0, seen.stderr);
  assert.match(seen.stdout, /-a$/m);
  assert.match(seen.stdout, /sha256:/);
  assert.match(seen.stdout, /-w\.drv$/m);
  assert.match(seen.stdout, /profiles\/default/);
});
