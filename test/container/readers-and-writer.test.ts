import assert from 'node:assert/strict';
import { boot, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { derive, image, nixImage, product, storeImage } from '../harness/images.ts';
import { assertBuilt, assertNothingBuilt, assertStoreIsSound, build, builtPath } from '../harness/nix.ts';
import { fixtures } from '../harness/paths.ts';
import { everythingOn, startReader } from '../harness/readers.ts';
import { makeVolume } from '../harness/volume.ts';

/** Builds one path after the other, and says so when it is registered. */
const buildOn = `
  n=0
  while :; do
    n=$((n + 1))
    nix-build --no-out-link -E "derivation { name = \\"n$n\\"; system = builtins.currentSystem;
      builder = \\"/bin/busybox\\"; args = [ \\"sh\\" \\"-c\\" \\"echo $n > \\$out\\" ]; }" 2>/dev/null
  done`;

containerTest(
  'beside a writer that builds without a pause, every reader has a whole state, with all that was there by then',
  async () => {
    await using volume = await makeVolume();
    await using writer = await startIdle({ volume: volume.name });
    await writer.exec(['sh', '-c', `(${buildOn}) >/tmp/built`], '-d');
    const built = async (): Promise<string[]> => {
      const { stdout } = await writer.exec(['sh', '-c', 'cat /tmp/built 2>/dev/null || true']);
      return stdout.split('\n').filter((path) => path !== '');
    };
    let known = 0;
    for (let round = 0; round < 4; round += 1) {
      const before = await built();
      assert.ok(before.length > known || round === 0, 'the writer goes on');
      known = before.length;
      await using reader = await startReader(volume);
      if (known > 0) {
        const valid = await reader.exec(['nix-store', '--check-validity', ...before]);
        assert.equal(valid.exitCode, 0, valid.stderr);
      }
      await assertStoreIsSound(reader);
      assertBuilt(await reader.exec(build('e')), 'e');
    }
    assert.ok(known > 0);
    await docker('kill', '-s', 'KILL', writer.name);
    // Where it was killed in the middle of that.
    await using reader = await startReader(volume);
    await assertStoreIsSound(reader);
    await using next = await startIdle({ volume: volume.name });
    await assertStoreIsSound(next);
  },
);

containerTest('a writer starts, builds, stops and starts again beside readers', async () => {
  await using volume = await makeVolume();
  const cached = builtPath(await boot({ volume: volume.name, command: build('c') }));
  await using reader = await startReader(volume);
  for (const name of ['d', 'e']) {
    const written = await boot({ volume: volume.name, command: build(name) });
    assertBuilt(written, name);
    assert.doesNotMatch(written.stderr, /in use/);
    assert.equal(assertNothingBuilt(await reader.exec(build('c'))), cached);
    await assertStoreIsSound(reader);
    await using later = await startReader(volume);
    assertNothingBuilt(await later.exec(build(name)));
    await assertStoreIsSound(later);
  }
});

containerTest('what a writer collects is gone for a reader, too, and can be had again', async () => {
  await using volume = await makeVolume();
  const cached = builtPath(await boot({ volume: volume.name, command: build('c') }));
  await using reader = await startReader(volume);
  const collected = await boot({ volume: volume.name, command: ['nix-collect-garbage'] });
  assert.equal(collected.exitCode, 0, collected.stderr);
  assert.equal((await reader.exec(['ls', cached])).exitCode, 2);
  // docs/operations.md says so.
  const verified = await reader.exec(['nix-store', '--verify']);
  assert.match(verified.stderr, /disappeared/);
  assertBuilt(await reader.exec(build('c')), 'c');
  await assertStoreIsSound(reader);
});

containerTest(
  'a reader with a newer image than the volume is in step with: the image wins, the cache is there',
  async () => {
    await using volume = await makeVolume();
    const command = ['sh', '-euc', 'nix-build /packages.nix -A d --no-out-link'];
    const cached = builtPath(await boot({ volume: volume.name, command }));
    const before = await everythingOn(volume);
    await using reader = await startReader(volume, { image: await newerImage() });
    assert.equal(assertNothingBuilt(await reader.exec(build('d'))), cached);
    const c = assertNothingBuilt(await reader.exec(build('c')));
    // Not the volume's copy of it, which differs, nor the two merged.
    const lower = `/run/nix-cache-init/lower/store/${c.split('/').at(-1)}`;
    const same = await reader.exec(['diff', '-r', lower, c]);
    assert.deepEqual([same.exitCode, same.stdout], [0, '']);
    const own = await reader.exec(['cat', `${c}/unique`]);
    const copy = await volume.shell(`cat /nix-cache/upper/${c.split('/').at(-1)}/unique`);
    assert.notEqual(own.stdout, copy.stdout);
    await assertStoreIsSound(reader);
    assertBuilt(await reader.exec(build('e')), 'e');
    assert.equal(await everythingOn(volume), before);
  },
);

containerTest(
  'a reader with an older image than the volume is in step with builds what that lacks, for itself',
  async () => {
    await using volume = await makeVolume();
    const newer = await newerImage();
    const cached = builtPath(await boot({ image: newer, volume: volume.name, command: build('d') }));
    builtPath(await boot({ image: newer, volume: volume.name, command: build('e') }));
    const before = await everythingOn(volume);
    await using reader = await startReader(volume);
    assertNothingBuilt(await reader.exec(build('e')));
    const again = await reader.exec(build('d'));
    assertBuilt(again, 'c');
    assert.equal(assertBuilt(again, 'd'), cached);
    await assertStoreIsSound(reader);
    assert.equal(await everythingOn(volume), before);
  },
);

for (const suite of ['bookworm', 'forky'] as const) {
  containerTest(`a reader with the Nix of ${suite}, of a volume of trixie's`, async () => {
    await using volume = await makeVolume();
    const cached = builtPath(await boot({ volume: volume.name, command: build('d') }));
    const before = await everythingOn(volume);
    await using reader = await startReader(volume, { image: await nixImage(suite) });
    assert.equal(assertNothingBuilt(await reader.exec(build('d'))), cached);
    assertBuilt(await reader.exec(build('e')), 'e');
    await assertStoreIsSound(reader);
    assert.equal(await everythingOn(volume), before);
  });
}

/** With a package of its own that a volume may have, too, differently built. */
async function newerImage(): Promise<string> {
  const store = await storeImage('trixie');
  const command = ['/bin/sh', '-euc', `rm -r /fixtures; ${build('c').join(' ')}`];
  const newer = await image('store-readers', `${store} ${command.join(' ')}`, (tag) =>
    derive(tag, store, `${fixtures}/nix`, command),
  );
  return await product('readers', newer);
}
