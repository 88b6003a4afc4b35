import assert from 'node:assert/strict';
import { boot, type Container, execOk, startContainer, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { imageRows } from '../harness/databaseRows.ts';
import { nixImage } from '../harness/images.ts';
import { daemonIdle, suitesWithLocalOverlay } from '../harness/localOverlay.ts';
import {
  assertBuilt,
  assertNothingBuilt,
  assertStoreIsSound,
  build,
  buildAll,
  builtPath,
  validOf,
} from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';
import { upgradeImage } from '../harness/upgradeImages.ts';
import { upperUsage, whiteouts } from '../harness/upper.ts';
import { makeVolume } from '../harness/volume.ts';

const strategy = (name: string, more: Record<string, string> = {}) => ({
  env: { NIX_CACHE_INIT_STRATEGY: name, NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail', ...more },
});
const localOverlay = strategy('local-overlay');

for (const suite of suitesWithLocalOverlay) {
  containerTest(
    `${suite}: what one container fetched and built, the next one has, without the cache`,
    async () => {
      const image = await nixImage(suite);
      await using volume = await makeVolume();
      let paths: string[];
      {
        await using first = await startIdle({ ...localOverlay, image, volume: volume.name });
        paths = [await substitute(first, 'c'), assertBuilt(await first.exec(build('d')), 'd')];
        await assertStoreIsSound(first);
      }
      await using second = await startIdle({ ...localOverlay, image, volume: volume.name });
      for (const [index, name] of ['c', 'd'].entries())
        assert.equal(assertNothingBuilt(await second.exec(build(name))), paths[index]);
      await assertStoreIsSound(second);
      assert.equal(await storeUrl(second), 'daemon');
    },
  );

  containerTest(`${suite}: shells of root and of a user, and a command that is a user's`, async () => {
    const image = await nixImage(suite);
    await using volume = await makeVolume();
    {
      await using container = await startIdle({ ...localOverlay, image, volume: volume.name });
      const byRoot = assertBuilt(await container.exec(build('c')), 'c');
      const byUser = assertBuilt(await container.exec(build('d'), '--user', 'alice'), 'd');
      assert.equal(await execOk(container, 'cat', `${byUser}/c`), byRoot);
      const bare = ['env', '-i', 'PATH=/usr/bin:/bin', ...build('d')];
      for (const user of ['root', 'alice'])
        assert.equal(assertNothingBuilt(await container.exec(bare, '--user', user)), byUser);
      const intruder = await container.exec(['touch', '/nix/store/intruder'], '--user', 'alice');
      assert.notEqual(intruder.exitCode, 0);
    }
    const asUser = strategy('local-overlay', { NIX_CACHE_INIT_USER: 'alice' });
    const outcome = await boot({ ...asUser, image, volume: volume.name, command: build('e') });
    assertBuilt(outcome, 'e');
  });

  containerTest(
    `${suite}: garbage is collected in upper/ alone, and the disk has the space back`,
    async () => {
      const image = await nixImage(suite);
      await using volume = await makeVolume();
      await using container = await startIdle({ ...localOverlay, image, volume: volume.name });
      const ofImage = Object.keys(await imageRows(image));
      const { paths } = await buildAll(container, 'big', 'd', 'e');
      await execOk(container, 'nix-env', '--profile', '/nix/var/nix/profiles/mine', '--set', paths.e);
      const before = await upperUsage(container);
      await execOk(container, 'sh', '-euc', `${daemonIdle}; nix-collect-garbage -d`);
      const after = await upperUsage(container);
      assert.deepEqual(await validOf(container, Object.values(paths)), [paths.e]);
      assert.deepEqual(await validOf(container, ofImage), ofImage);
      assert.deepEqual(await whiteouts(container), []);
      // By the disk: what Nix says is garbage itself (NixOS/nix#16269).
      assert.ok((before['.'] ?? 0) - (after['.'] ?? 0) > 8 * 1024 * 1024);
      await assertStoreIsSound(container);
      // What root may delete is not the image's.
      const refused = await container.exec(['nix-store', '--delete', '--ignore-liveness', ...ofImage]);
      assert.notEqual(refused.exitCode, 0);
      for (const path of ofImage) await execOk(container, 'test', '-e', path);
      assert.deepEqual(await whiteouts(container), []);
    },
  );

  containerTest(`${suite}: images take turns on a volume`, async () => {
    await using ground = await upgradeGround(suite);
    let paths: Record<'c' | 'd' | 'e' | 'on-old', string>;
    {
      await using a = await ground.start('A', localOverlay);
      paths = (await buildAll(a, 'c', 'd', 'e', 'on-old')).paths;
    }
    {
      await using b = await ground.start('B', localOverlay);
      assert.deepEqual(await validOf(b, Object.values(paths)), [paths.c, paths.d, paths.e]);
      assert.deepEqual((await buildAll(b, 'new', 'c', 'd', 'e')).built, []);
      await ground.assertOfImage(b, 'B', paths.c);
      const rows = Object.keys(await imageRows(await upgradeImage(suite, 'B')));
      assert.deepEqual(await validOf(b, rows), rows);
    }
    await using a = await ground.start('A', localOverlay);
    assert.deepEqual((await buildAll(a, 'e', 'on-old')).built, []);
  });

  containerTest(`${suite}: overlay and local-overlay take turns on a volume, without loss`, async () => {
    const image = await nixImage(suite);
    await using volume = await makeVolume();
    const made: string[] = [];
    for (const [name, built] of [
      ['overlay', 'c'],
      ['local-overlay', 'd'],
      ['overlay', 'e'],
      ['local-overlay', 'big'],
    ] as const) {
      await using container = await startIdle({ ...strategy(name), image, volume: volume.name });
      if (made.length > 0) assert.deepEqual(await validOf(container, made), made);
      made.push(assertBuilt(await container.exec(build(built)), built));
      await assertStoreIsSound(container);
      assert.deepEqual(await whiteouts(container), []);
    }
  });

  containerTest(`${suite}: on a root that is read-only, and for a reader of the volume`, async () => {
    const image = await nixImage(suite);
    await using volume = await makeVolume();
    const flags = ['--read-only', '--tmpfs', '/tmp'];
    let path: string;
    {
      await using container = await startIdle({ ...localOverlay, image, volume: volume.name, flags });
      path = assertBuilt(await container.exec(build('c')), 'c');
      await assertStoreIsSound(container);
    }
    const reading = strategy('local-overlay', { NIX_CACHE_INIT_ACCESS: 'read-only' });
    await using reader = await startIdle({ ...reading, image, volume: volume.name, flags });
    assert.equal(assertNothingBuilt(await reader.exec(build('c'))), path);
    assertBuilt(await reader.exec(build('e')), 'e');
    await assertStoreIsSound(reader);
  });

  containerTest(`${suite}: the nix-daemon of another container as the lower store`, async () => {
    const image = await nixImage(suite);
    await using volume = await makeVolume();
    await using shared = await makeVolume();
    await using theirs = await makeVolume();
    // A container whose own store, which is a volume, is served at a socket on another one.
    await using lower = await startContainer({
      image,
      grant: 'nothing',
      flags: ['-v', `${theirs.name}:/nix`, '-v', `${shared.name}:/run/other`, '--entrypoint', 'sh'],
      env: { NIX_DAEMON_SOCKET_PATH: '/run/other/socket' },
      command: ['-euc', `${build('d').join(' ')}; exec nix-daemon`],
    });
    await lower.waitForLog(/-d$/m);
    // The daemon does not say when it listens.
    const listens = 'until nix store info --store unix:///run/other/socket; do sleep 0.1; done';
    await execOk(lower, 'sh', '-c', listens);
    const flags = ['-v', `${theirs.name}:/other:ro`, '-v', `${shared.name}:/run/other`];
    const uri = 'unix:///run/other/socket?real=/other/store';
    const options = {
      ...strategy('local-overlay', { NIX_CACHE_INIT_LOWER_STORE: uri }),
      image,
      volume: volume.name,
      flags,
    };
    {
      await using container = await startIdle(options);
      const path = assertNothingBuilt(await container.exec(build('d')));
      assert.equal(builtPath(await lower.exec(build('d'))), path);
      assertBuilt(await container.exec(build('e')), 'e');
      const added = await execOk(lower, 'nix-store', '--add', '/packages.nix');
      await execOk(container, 'nix-cache-init', 'remount', '/nix/store');
      await execOk(container, 'cmp', '/packages.nix', added);
      await assertStoreIsSound(container);
    }
    await lower[Symbol.asyncDispose]();
    const away = await boot({ ...options, command: ['true'] });
    assert.equal(away.exitCode, 78);
    assert.match(
      away.stderr,
      /the lower store's daemon, \/run\/other\/socket, has nobody who listens: ECONNREFUSED/,
    );
  });
}

containerTest('bookworm: Nix 2.8 is refused, or the next strategy takes over', async () => {
  const image = await nixImage('bookworm');
  await using volume = await makeVolume();
  const refused = await boot({ ...localOverlay, image, volume: volume.name, command: ['true'] });
  assert.equal(refused.exitCode, 78);
  assert.match(
    refused.stderr,
    /Nix 2\.8\.0 has no local-overlay store: ENOTSUP \(use an image with Nix 2\.22 or newer/,
  );
  const env = { ...localOverlay.env, NIX_CACHE_INIT_ON_UNSUPPORTED: 'fallback' };
  const next = await boot({
    env,
    image,
    volume: volume.name,
    command: ['grep', ' /nix/store overlay ', '/proc/mounts'],
  });
  assert.equal(next.exitCode, 0, next.stderr);
  assert.match(next.stderr, /going on with strategy overlay/);
});

containerTest('without SYS_ADMIN it is refused with what to type', async () => {
  const image = await nixImage('trixie');
  await using volume = await makeVolume();
  const refused = await boot({
    ...localOverlay,
    image,
    grant: 'nothing',
    volume: volume.name,
    command: ['true'],
  });
  assert.equal(refused.exitCode, 77);
  assert.match(refused.stderr, /needs CAP_SYS_ADMIN: EPERM \(docker run --cap-add SYS_ADMIN /);
});

/** Gets a package from a signed binary cache that is gone afterwards. */
async function substitute(container: Container, name: string): Promise<string> {
  const path = assertBuilt(await container.exec(build(name)), name);
  const script = `
    nix-store --generate-binary-cache-key test /tmp/secret /tmp/public
    nix copy --to 'file:///tmp/cache?secret-key=/tmp/secret' ${path}
    ${daemonIdle}
    nix-store --delete ${path}
    ! test -e ${path}
    nix-store --realise ${path} --option substitute true --option substituters file:///tmp/cache \\
      --option trusted-public-keys "$(cat /tmp/public)"
    rm -r /tmp/cache`;
  const { exitCode, stderr } = await container.exec(['sh', '-euc', script]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, new RegExp(`copying path '${path}' from 'file:///tmp/cache'`));
  return path;
}

/** The store that a shell's Nix opens. */
async function storeUrl(container: Container): Promise<string> {
  return JSON.parse(await execOk(container, 'nix', 'store', 'info', '--json')).url;
}
