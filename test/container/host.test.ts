import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Boot, boot, execOk, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertFails, assertOneWarning } from '../harness/failureLine.ts';
import { type HostNix, makeHostNix } from '../harness/hostNix.ts';
import { nixImage } from '../harness/images.ts';
import { assertBuilt, assertNothingBuilt, build } from '../harness/nix.ts';
import { fixtures } from '../harness/paths.ts';

const price = /host's store/;

/** What users give: no privilege, no volume, the host's store and its daemon. */
function onHost({ nix }: Pick<HostNix, 'nix'>, more: Partial<Boot> = {}): Omit<Boot, 'command'> {
  const mounts = [`${nix}/store:/nix/store:ro`, `${nix}/var/nix/daemon-socket:/nix/var/nix/daemon-socket`];
  return {
    grant: 'nothing',
    ...more,
    flags: [...mounts.flatMap((mount) => ['-v', mount]), ...(more.flags ?? [])],
    env: { NIX_CACHE_INIT_STRATEGY: 'host', NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail', ...more.env },
  };
}

const shells = { env: { NIX_REMOTE: 'daemon' } };

containerTest('what one container builds is there in the next, and on the host', async () => {
  await using host = await makeHostNix();
  await using _daemon = await host.startDaemon();
  const first = await boot({ ...onHost(host, shells), command: build('c') });
  const path = assertBuilt(first, 'c');
  // What the host had needs no build, although this image has built its own b.
  assert.doesNotMatch(first.stderr, /building '.*-b\.drv'/);
  const second = await boot({ ...onHost(host, shells), command: build('c') });
  assert.equal(assertNothingBuilt(second), path);
  assertOneWarning(second, price);
  assertOneWarning(second, /trusts this user: that is as good as being root on the host/);
  assert.equal(await host.shell(`nix-store --check-validity ${path} && echo valid`), 'valid');
  await host.verify();
});

containerTest('an older client speaks with it, too', async () => {
  await using host = await makeHostNix('trixie');
  await using _daemon = await host.startDaemon();
  const image = await nixImage('bookworm');
  assertBuilt(await boot({ ...onHost(host, { ...shells, image }), command: build('c') }), 'c');
});

containerTest(
  'docker exec reaches the daemon: root, a user who is not, and shells without a variable',
  async () => {
    await using host = await makeHostNix();
    await using _daemon = await host.startDaemon();
    await using container = await startIdle(onHost(host, shells));
    const path = assertBuilt(await container.exec(build('c')), 'c');
    const user = ['--user', 'alice'];
    assert.equal(assertNothingBuilt(await container.exec(build('c'), ...user)), path);
    assertBuilt(await container.exec(build('d'), ...user), 'd');
    const bare = ['env', '-i', 'PATH=/usr/bin:/bin', ...build('e')];
    assertBuilt(await container.exec(bare, ...user), 'e');
  },
);

containerTest('who may mount needs no variable at all: nix.conf says it', async () => {
  await using host = await makeHostNix();
  await using _daemon = await host.startDaemon();
  await using container = await startIdle(onHost(host, { grant: 'overlay' }));
  const bare = ['env', '-i', 'PATH=/usr/bin:/bin', ...build('c')];
  assertBuilt(await container.exec(bare), 'c');
  assert.equal((await container.logs()).stderr.trim().split('\n').length, 1);
});

containerTest('who may not mount is told what docker exec needs, and the boot goes on', async () => {
  await using host = await makeHostNix();
  await using _daemon = await host.startDaemon();
  // Without the capability, and with it where a security module denies it all the same.
  const flags = ['--security-opt', `seccomp=${join(fixtures, 'deny-mount.json')}`];
  const denied: Partial<Boot> = { grant: 'overlay', flags };
  for (const [name, grant] of [
    ['c', {}],
    ['d', denied],
  ] as const) {
    const result = await boot({ ...onHost(host, grant), command: build(name) });
    assertBuilt(result, name);
    assert.match(result.stderr, /docker run -e NIX_REMOTE=daemon/);
  }
});

containerTest('a user who is not root, all capabilities gone', async () => {
  await using host = await makeHostNix();
  await using _daemon = await host.startDaemon();
  const flags = ['--user', '1000:1000', '--cap-drop', 'ALL'];
  const result = await boot({ ...onHost(host, { flags }), command: build('c') });
  assertBuilt(result, 'c');
  assert.doesNotMatch(result.stderr, /as good as being root/);
});

containerTest(
  'nothing of the host is collected by us, and no daemon of ours takes the place of its own',
  async () => {
    await using host = await makeHostNix();
    await using _daemon = await host.startDaemon();
    const listing =
      'ls -A /nix/store /nix/var/nix /nix/var/nix/daemon-socket; stat -c %i /nix/var/nix/daemon-socket/socket';
    {
      await using container = await startIdle(onHost(host, shells));
      // Without a root: garbage to whoever collects.
      assertBuilt(await container.exec(build('c')), 'c');
      const before = await host.shell(listing);
      const processes = await execOk(container, 'sh', '-c', 'cat /proc/[0-9]*/comm');
      assert.doesNotMatch(processes, /nix-daemon/);
      assert.equal(await host.shell(listing), before);
    }
    const before = await host.shell(listing);
    // Nor where the strategy is another one, with the host's socket in the place of the image's.
    for (const strategy of ['none', 'host']) {
      const env = { ...shells.env, NIX_CACHE_INIT_STRATEGY: strategy };
      const result = await boot({ ...onHost(host, { env }), command: build('c') });
      assertNothingBuilt(result);
    }
    assert.equal(await host.shell(listing), before);
  },
);

containerTest("the host's daemon is restarted while a container runs", async () => {
  await using host = await makeHostNix();
  const first = await host.startDaemon();
  await using container = await startIdle(onHost(host, shells));
  await first[Symbol.asyncDispose]();
  const without = await container.exec(build('c'));
  assert.notEqual(without.exitCode, 0);
  await using _second = await host.startDaemon();
  assertBuilt(await container.exec(build('c')), 'c');
});

containerTest('a wedged daemon ends the boot with a line, or the fallback goes on', async () => {
  await using host = await makeHostNix();
  await using daemon = await host.startDaemon();
  daemon.signal('SIGSTOP');
  assertFails(await boot({ ...onHost(host), command: ['true'] }), 78, /does not answer within .*ETIMEDOUT/);
  const env = { NIX_CACHE_INIT_ON_UNSUPPORTED: 'fallback' };
  const result = await boot({ ...onHost(host, { env }), command: ['echo', 'ran'] });
  assert.equal(result.stdout, 'ran');
  assertOneWarning(result, /ETIMEDOUT.*going on with strategy none, nothing will be kept/);
});

containerTest('what is missing is said, with what to type', async () => {
  await using host = await makeHostNix();
  await using other = await makeHostNix('trixie', ['w']);
  const mixed = `${other.nix}/store:/nix/store:ro`;
  const socket = `${host.nix}/var/nix/daemon-socket:/nix/var/nix/daemon-socket`;
  const store = `${host.nix}/store:/nix/store`;
  const refused = async (flags: string[], detail: RegExp): Promise<void> => {
    const options = onHost({ nix: '' }, {});
    const result = await boot({ ...options, flags, command: ['true'] });
    assertFails(result, 78, detail);
    assert.match(result.stderr, /docker run -v/);
  };
  await mkdir(join(host.nix, 'var/nix/daemon-socket'), { recursive: true });
  await refused(['-v', `${store}:ro`, '-v', socket], /is not there: ENOENT/);
  await using _daemon = await host.startDaemon();
  await refused(['-v', socket], /nothing is mounted there: EINVAL/);
  await refused(['-v', store, '-v', socket], /writable/);
  await refused(['-v', `${store}:ro`], /ENOENT/);
  await refused(['-v', mixed, '-v', socket], /knows none of \d+ paths .*EXDEV/);
});

containerTest("an image whose programs are in its own store is told that the host's hides them", async () => {
  // Without b, which is what the profile of the image is.
  await using host = await makeHostNix('trixie', ['w']);
  await using _daemon = await host.startDaemon();
  const env = { ...shells.env, PATH: '/nix/var/nix/profiles/default/share:/usr/bin:/bin' };
  const result = await boot({ ...onHost(host, { env }), command: build('c') });
  assertBuilt(result, 'c');
  assert.match(result.stderr, /hides the image's own: lost are \/nix\/var\/nix\/profiles\/default\/share/);
});
