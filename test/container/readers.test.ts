import assert from 'node:assert/strict';
import { boot, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertBuilt, assertNothingBuilt, assertStoreIsSound, build } from '../harness/nix.ts';
import { everythingOn, startReader } from '../harness/readers.ts';
import { makeVolume, type Volume } from '../harness/volume.ts';

containerTest(
  'five readers at once see what is cached, each builds for itself, and the volume stays as it is',
  async () => {
    await using volume = await makeVolume();
    const cached = await fill(volume);
    const before = await everythingOn(volume);
    await using readers = new AsyncDisposableStack();
    const containers = await Promise.all(
      Array.from({ length: 5 }, async () => readers.use(await startReader(volume))),
    );
    const own = await Promise.all(
      containers.map(async (reader) => {
        assert.equal(assertNothingBuilt(await reader.exec(build('c'))), cached);
        assertBuilt(await reader.exec(build('e')), 'e');
        await assertStoreIsSound(reader);
        return (await reader.exec(['sh', '-c', 'cat $(nix-build /packages.nix -A e --no-out-link)/unique']))
          .stdout;
      }),
    );
    assert.equal(new Set(own).size, 5, 'each has built its own');
    assert.equal(await everythingOn(volume), before);
  },
);

containerTest('a user builds through the daemon of a reader; what is collected is only its own', async () => {
  await using volume = await makeVolume();
  const cached = await fill(volume);
  const before = await everythingOn(volume);
  await using reader = await startReader(volume);
  assertBuilt(await reader.exec(['env', 'NIX_REMOTE=daemon', ...build('e')], '--user', 'alice'), 'e');
  const collected = await reader.exec(['nix-collect-garbage']);
  assert.equal(collected.exitCode, 0, collected.stderr);
  assert.equal((await reader.exec(['ls', cached])).exitCode, 2, 'nothing roots it');
  await assertStoreIsSound(reader);
  assert.equal(await everythingOn(volume), before);
});

containerTest('a reader whose own root is read-only, too', async () => {
  await using volume = await makeVolume();
  const cached = await fill(volume);
  const before = await everythingOn(volume);
  await using reader = await startReader(volume, { flags: ['--read-only', '--tmpfs', '/tmp'] });
  assert.equal(assertNothingBuilt(await reader.exec(build('c'))), cached);
  assertBuilt(await reader.exec(build('e')), 'e');
  await assertStoreIsSound(reader);
  assert.equal(await everythingOn(volume), before);
});

containerTest('a reader that is restarted begins anew', async () => {
  await using volume = await makeVolume();
  const cached = await fill(volume);
  await using reader = await startReader(volume);
  for (let run = 0; run < 2; run += 1) {
    assertBuilt(await reader.exec(build('e')), 'e');
    await docker('restart', reader.name);
    const waited = await reader.waitForLog(new RegExp(`(ready\\s+){${run + 2}}`));
    assert.ok(waited);
    assert.equal(assertNothingBuilt(await reader.exec(build('c'))), cached);
  }
  await assertStoreIsSound(reader);
});

containerTest(
  'onLocked=read-only: the second container reads, and says in one line whom it found',
  async () => {
    await using volume = await makeVolume();
    await using first = await startIdle({ volume: volume.name });
    const cached = assertBuilt(await first.exec(build('c')), 'c');
    const { stdout: id } = await docker('inspect', '--format', '{{.Config.Hostname}}', first.name);
    const polite = { volume: volume.name, env: { NIX_CACHE_INIT_ON_LOCKED: 'read-only' } };
    {
      await using second = await startIdle(polite);
      const { stderr } = await second.logs();
      const said = stderr.split('\n').filter((line) => line.includes('in use'));
      assert.equal(said.length, 1, stderr);
      assert.match(
        said[0] ?? '',
        new RegExp(`in use by ${id} \\(PID 1, since \\S+\\); going on read-only: `),
      );
      assert.equal(assertNothingBuilt(await second.exec(build('c'))), cached);
      assertBuilt(await second.exec(build('e')), 'e');
      await assertStoreIsSound(second);
    }
    await assertStoreIsSound(first);
    // Who was killed holds nothing, though the file names it still: no human is needed.
    await docker('kill', '-s', 'KILL', first.name);
    await using third = await startIdle(polite);
    assert.doesNotMatch((await third.logs()).stderr, /in use/);
    assert.equal(assertNothingBuilt(await third.exec(build('c'))), cached);
    assertBuilt(await third.exec(build('e')), 'e');
  },
);

containerTest('a second init in the container of a reader leaves its store alone', async () => {
  await using volume = await makeVolume();
  const cached = await fill(volume);
  await using reader = await startReader(volume);
  const second = await reader.exec(['/init', '--', 'true']);
  assert.equal(second.exitCode, 75, second.stderr);
  assert.match(second.stderr, /the store here is in use by/);
  assert.equal(assertNothingBuilt(await reader.exec(build('c'))), cached);
});

async function fill(volume: Volume): Promise<string> {
  const outcome = await boot({ volume: volume.name, command: build('c') });
  return assertBuilt(outcome, 'c');
}
