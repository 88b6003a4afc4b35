import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { boot, execOk, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { startHttpCache } from '../harness/httpCache.ts';
import { nixImage } from '../harness/images.ts';
import { assertBuilt, assertNothingBuilt, build } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

for (const suite of suites) {
  containerTest(
    `Nix of ${suite}: what one container built, another one substitutes from a server`,
    async () => {
      const image = await nixImage(suite);
      await using volume = await makeVolume();
      await using cache = await startHttpCache();
      const on = { image, network: 'host' } as const;
      // Nix's own means to sign: the key that it signs all builds with, which goes with the path.
      const keys = await boot({
        ...on,
        flags: ['-v', `${volume.name}:/nix-cache`],
        env: { NIX_CACHE_INIT_STRATEGY: 'none' },
        command: [
          'sh',
          '-euc',
          'nix-store --generate-binary-cache-key mine /nix-cache/secret /public; cat /public',
        ],
      });
      assert.equal(keys.exitCode, 0, keys.stderr);
      const publicKey = /mine:\S+/.exec(keys.stdout)?.[0] ?? '';
      const env = {
        NIX_CACHE_INIT_PUSH_TO: JSON.stringify([cache.url]),
        NIX_CONFIG: 'secret-key-files = /nix-cache/secret',
      };
      let atTheEnd: string;
      let byHand: string;
      {
        await using first = await startIdle({ ...on, volume: volume.name, env });
        byHand = assertBuilt(await first.exec(build('c')), 'c');
        const pushed = await execOk(first, 'nix-cache-init', 'push', '--to', cache.url, byHand);
        assert.equal(pushed, `${cache.url}: 1 of 1 path there`);
        assert.ok(cache.has(byHand));
        atTheEnd = assertBuilt(await first.exec(build('e')), 'e');
        await docker('stop', first.name);
        assert.equal(await first.waitForEnd(), 143);
        const { stderr } = await first.logs();
        assert.doesNotMatch(stderr, /nix-cache-init/);
      }
      assert.ok(cache.has(atTheEnd));
      const options = ['--option', 'substituters', cache.url, '--option', 'trusted-public-keys', publicKey];
      for (const [name, path] of [
        ['c', byHand],
        ['e', atTheEnd],
      ] as const) {
        // Without a volume, and so without a cache of its own.
        const second = await boot({
          ...on,
          env: { NIX_CACHE_INIT_STRATEGY: 'none' },
          command: [...build(name), ...options],
        });
        assert.equal(assertNothingBuilt(second), path);
        assert.match(second.stderr, new RegExp(`copying path '${path}' from '${cache.url}'`));
      }
    },
  );
}

containerTest(
  'with a root that can only be read, where Nix cannot keep what it knows of caches',
  async () => {
    await using volume = await makeVolume();
    await using cache = await startHttpCache();
    const env = { NIX_CACHE_INIT_PUSH_TO: JSON.stringify([cache.url]) };
    const flags = ['--read-only', '--tmpfs', '/tmp'];
    const built = await boot({ volume: volume.name, network: 'host', env, flags, command: build('c') });
    const path = assertBuilt(built, 'c');
    assert.doesNotMatch(built.stderr, /nix-cache-init/);
    assert.ok(cache.has(path));
  },
);
