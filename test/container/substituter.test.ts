import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import type { Suite } from '../harness/base.ts';
import { type Boot, boot, type Container, startContainer, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { publishElsewhere, readPublished } from '../harness/elsewhere.ts';
import { nixImage } from '../harness/images.ts';
import { assertBuilt, assertNothingBuilt, assertStoreIsSound, build } from '../harness/nix.ts';
import { upgradeImage } from '../harness/upgradeImages.ts';
import { bare, makeVolume, type Volume } from '../harness/volume.ts';

const strict = { NIX_CACHE_INIT_STRATEGY: 'substituter', NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail' };
const unprivileged = { grant: 'nothing', env: strict } as const;
const suites: Suite[] = ['bookworm', 'trixie', 'forky'];
const profile = '/nix/var/nix/profiles/per-user/mine';

/** Another cache, on a volume of its own that can go away, and what a client says to use it. */
async function publish(image: string, volume: Volume, name: string): Promise<string[]> {
  const outcome = await boot({
    image,
    grant: 'nothing',
    env: { NIX_CACHE_INIT_STRATEGY: 'none' },
    flags: ['-v', `${volume.name}:/elsewhere`],
    command: ['sh', '-euc', publishElsewhere(name)],
  });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  return readPublished(outcome.stdout).options;
}

async function sh(container: Container, script: string, ...flags: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await container.exec(['sh', '-euc', script], ...flags);
  assert.equal(exitCode, 0, stderr);
  return stdout.trim();
}

async function assertSilent(container: Container): Promise<void> {
  const { stderr } = await container.logs();
  assert.deepEqual(
    stderr.split('\n').filter((line) => line.includes('nix-cache-init')),
    [],
  );
}

const developNix = `{ shell = derivation {
  name = "shell"; system = builtins.currentSystem; builder = "/bin/bash"; outputs = [ "out" ];
  args = [ "-c" "echo > $out" ]; PATH = "/bin:/usr/bin"; greeting = "hello";
}; }`;

/** `nix develop`, whose Nix 2.8 wants a bash of nixpkgs for more than the environment itself. */
const develop = (suite: Suite): string =>
  `cat >/develop.nix <<'END'\n${developNix}\nEND\nnix ${
    suite === 'bookworm'
      ? 'print-dev-env -f /develop.nix shell'
      : `develop -f /develop.nix shell -c sh -c 'echo $greeting'`
  }`;

for (const suite of suites) {
  containerTest(`Nix of ${suite}: run 2 has from the volume what run 1 built and fetched`, async () => {
    const image = await nixImage(suite);
    await using volume = await makeVolume();
    await using other = await makeVolume();
    const options = await publish(image, other, 'e');
    const flags = ['-v', `${other.name}:/elsewhere`];
    let built: string;
    let fetched: string;
    {
      await using first = await startIdle({ image, volume: volume.name, ...unprivileged, flags });
      built = assertBuilt(await first.exec(build('c')), 'c');
      fetched = assertNothingBuilt(await first.exec([...build('e'), ...options]));
      await sh(first, `mkdir -p ${dirname(profile)}; nix-env --profile ${profile} --set ${fetched}`);
      assert.match(await sh(first, develop(suite)), /hello/);
      await docker('stop', first.name);
      await assertSilent(first);
    }
    // No network, and no other cache.
    await using second = await startIdle({ image, volume: volume.name, ...unprivileged });
    assert.equal(await sh(second, `readlink -f ${profile}; cat ${profile}/b >/dev/null`), fetched);
    // One who is not trusted, and the daemon.
    assert.equal(assertNothingBuilt(await second.exec(build('c'), '--user', 'alice')), built);
    assert.equal(assertNothingBuilt(await second.exec(build('e'))), fetched);
    const developed = await second.exec(['sh', '-euc', develop(suite)]);
    assert.match(developed.stdout, /hello/, developed.stderr);
    assert.doesNotMatch(developed.stderr, /building '/);
    assert.match(developed.stderr, /copying path '\S+-shell-env'/);
    await assertStoreIsSound(second);
    await assertSilent(second);
  });
}

containerTest('without SYS_ADMIN auto takes it, says so in one line, and keeps what is built', async () => {
  await using volume = await makeVolume();
  const options: Boot = { volume: volume.name, grant: 'nothing', command: build('c') };
  const first = await boot(options);
  const path = assertBuilt(first, 'c');
  const lines = first.stderr.split('\n').filter((line) => line.includes('nix-cache-init'));
  assert.equal(lines.length, 1, first.stderr);
  assert.match(lines[0] ?? '', /SYS_ADMIN.*going on with strategy substituter/);
  assert.equal(assertNothingBuilt(await boot(options)), path);
});

containerTest('without any capability, and with the command as a user beside the daemon', async () => {
  await using volume = await makeVolume();
  const flags = ['--cap-drop', 'ALL'];
  const first = await boot({ volume: volume.name, ...unprivileged, flags, command: build('c') });
  const path = assertBuilt(first, 'c');
  const second = await boot({ volume: volume.name, ...unprivileged, flags, command: build('c') });
  assert.equal(assertNothingBuilt(second), path);
  const env = { ...strict, NIX_CACHE_INIT_USER: 'alice', NIX_CACHE_INIT_CAPABILITIES: 'keep' };
  const user: Boot = {
    volume: volume.name,
    grant: 'nothing',
    env,
    command: ['sh', '-euc', `id -un >&2; ${build('d').join(' ')}`],
  };
  const byUser = assertBuilt(await boot(user), 'd');
  const again = await boot(user);
  assert.match(again.stderr, /^alice$/m);
  assert.equal(assertNothingBuilt(again), byUser);
});

containerTest('as a plain user with a store of their own, also in shells that are told', async () => {
  await using volume = await makeVolume();
  assert.equal((await volume.shell('chown 1000:1000 /nix-cache')).exitCode, 0);
  const start = async (nix: Volume): Promise<Container> => {
    // A volume of its own has what the image has there.
    const mine = ['-v', `${nix.name}:/nix`];
    assert.equal((await bare(await nixImage(), ['chown', '-R', '1000:1000', '/nix'], ...mine)).exitCode, 0);
    const flags = [...mine, '--user', '1000:1000'];
    const env = { ...strict, HOME: '/home/alice' };
    return await startIdle({ volume: volume.name, grant: 'nothing', env, flags });
  };
  const told = ['-e', 'NIX_CONFIG=!include /nix/var/nix/nix-cache-init/nix.conf'];
  let path: string;
  {
    await using nix = await makeVolume();
    await using first = await start(nix);
    path = assertBuilt(await first.exec(build('c'), ...told), 'c');
    await sh(first, `nix-env --profile /nix/var/nix/profiles/mine --set ${path}`, ...told);
    await docker('stop', first.name);
  }
  await using nix = await makeVolume();
  await using second = await start(nix);
  assert.equal(await sh(second, 'readlink -f /nix/var/nix/profiles/mine'), path);
  assertBuilt(await second.exec(build('d'), ...told), 'd');
  await assertStoreIsSound(second);
});

containerTest(
  'with a read-only root, a volume for the store, and nothing that can be executed in /run',
  async () => {
    await using volume = await makeVolume();
    const byDaemon = ['--user', 'alice', '-e', 'NIX_REMOTE=daemon', '-e', 'HOME=/tmp'];
    const start = async (nix: Volume): Promise<Container> => {
      const flags = ['--read-only', '--tmpfs', '/run', '--tmpfs', '/tmp', '-v', `${nix.name}:/nix`];
      return await startIdle({ volume: volume.name, ...unprivileged, flags });
    };
    let path: string;
    {
      await using nix = await makeVolume();
      await using first = await start(nix);
      // The daemon has been told, who need not be.
      path = assertBuilt(await first.exec(build('c'), ...byDaemon), 'c');
      await docker('kill', first.name);
    }
    await using nix = await makeVolume();
    await using second = await start(nix);
    assert.equal(assertNothingBuilt(await second.exec(build('c'), ...byDaemon)), path);
  },
);

containerTest('a volume without extended attributes, held by one container at a time', async () => {
  await using volume = await makeVolume('-o', 'type=ramfs', '-o', 'device=ramfs');
  // Somebody has to hold it, or it is a new one for every container.
  const hold = { flags: ['--entrypoint', 'sleep'], command: ['infinity'] };
  await using _holder = await startContainer({ volume: volume.name, ...hold });
  // A file system that has none at all (fs/ramfs/inode.c).
  assert.match((await volume.shell('cat /proc/mounts')).stdout, / \/nix-cache ramfs /);
  let path: string;
  {
    await using first = await startIdle({ volume: volume.name, ...unprivileged });
    path = assertBuilt(await first.exec(build('c')), 'c');
    const second = await boot({ volume: volume.name, ...unprivileged, command: ['true'] });
    assert.equal(second.exitCode, 75, second.stderr);
    const env = { ...strict, NIX_CACHE_INIT_ON_LOCKED: 'read-only' };
    const reader = await boot({ volume: volume.name, grant: 'nothing', env, command: build('c') });
    assert.equal(assertNothingBuilt(reader), path);
    await docker('kill', first.name);
  }
  const next = await boot({ volume: volume.name, ...unprivileged, command: build('c') });
  assert.equal(assertNothingBuilt(next), path);
});

containerTest('an upgrade of the image, and garbage collection, lose nothing', async () => {
  await using volume = await makeVolume();
  let path: string;
  {
    const image = await upgradeImage('trixie', 'A');
    await using a = await startIdle({ image, volume: volume.name, ...unprivileged });
    path = assertBuilt(await a.exec(build('on-old')), 'on-old');
    await sh(a, `mkdir -p ${dirname(profile)}; nix-env --profile ${profile} --set ${path}`);
    await docker('stop', a.name);
  }
  const image = await upgradeImage('trixie', 'B');
  await using b = await startIdle({ image, volume: volume.name, ...unprivileged });
  assert.equal(await sh(b, `readlink -f ${profile}; cat $(cat ${profile}/old)/a >/dev/null`), path);
  assert.match(await sh(b, 'readlink -f /nix/var/nix/profiles/default'), /-new$/);
  await sh(b, `rm ${profile}*; nix-collect-garbage; test ! -e ${path}`);
  assert.equal(assertNothingBuilt(await b.exec(build('on-old'))), path);
  await assertStoreIsSound(b);
});
