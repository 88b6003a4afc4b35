import assert from 'node:assert/strict';
import { type Suite, suites } from '../harness/base.ts';
import { containerTest } from '../harness/containerTest.ts';
import { nixImage } from '../harness/images.ts';
import { assertVerified } from '../harness/nix.ts';
import {
  assertThere,
  buildTool,
  develop,
  fromCache,
  give,
  makePrefixGround,
  publishTool,
  toolsMount,
} from '../harness/prefixGround.ts';
import { bare, makeVolume, type Volume } from '../harness/volume.ts';

const nix = 'nix --extra-experimental-features nix-command';
/** What a user needs for a mount namespace with a /proc of its own in Docker. */
const namespaces = ['--security-opt', 'seccomp=unconfined', '--security-opt', 'systempaths=unconfined'];

/** What Debian's bash is and needs. */
const bash = '/usr/bin/bash /usr/lib /lib=/usr/lib /lib64=/usr/lib64? /usr/lib64?';

for (const suite of suites) {
  containerTest(
    `Debian ${suite}: a store for a chroot keeps what was fetched from any binary cache; without user namespaces it builds and runs nothing, and says so`,
    async () => {
      await using cache = await makeVolume();
      const path = await fillCache(cache, suite);
      await using ground = await makePrefixGround('chroot');
      const got = await ground.run(buildTool('greet', fromCache), { suite, cache });
      assert.equal(got.stdout.trim(), path, got.stderr);
      assert.match(got.stderr, /copying path .*-greet' from 'file:\/\/\/cache'/);
      const there = await ground.run(`${buildTool('greet')}; nix-store --verify --check-contents`, { suite });
      assert.equal(assertThere(there), path);
      assertVerified(there);

      const built = await ground.run(buildTool('other'), { suite });
      assert.notEqual(built.exitCode, 0);
      // What Nix 2.8 says, and what later ones do.
      assert.match(built.stderr, /cloning builder process.*not permitted|namespaces that are required/);
      const byPath = await ground.run(`/nix-cache/root${path}/bin/greet`, { suite });
      assert.equal(byPath.exitCode, 127, byPath.stderr);
      const shell = await ground.run(`${nix} shell ${path} -c greet`, { suite });
      assert.notEqual(shell.exitCode, 0);
      assert.match(shell.stderr, /namespace/);

      // The image's own store has nothing of it.
      const script = `ls -d ${path} || true; ls -d /nix-cache/root${path}; nix-store --gc; ls /nix-cache/root/nix/store`;
      const { stdout, stderr } = await ground.run(script, { suite });
      const [where, ...left] = stdout.split('\n');
      assert.equal(where, `/nix-cache/root${path}`);
      assert.ok(left.some((line) => /deleted/.test(line)) || /deleted/.test(stderr), stderr);
      assert.doesNotMatch(left.filter((line) => !/^(deleting|removing)/.test(line)).join(), /greet/, stderr);
    },
  );

  containerTest(`Debian ${suite}: with user namespaces it does both, but for nix develop`, async () => {
    await using ground = await makePrefixGround('chroot');
    const build = buildTool('greet', '--option extra-sandbox-paths /bin/busybox');
    const path = await ground.ok(build, { suite, flags: namespaces });
    assert.match(path, /^\/nix\/store\//);
    const said = await ground.ok(`${nix} shell ${path} -c greet`, { suite, flags: namespaces });
    assert.equal(said, `greetings from ${path}/bin/greet`);
    // NixOS/nix#5024: its shell is outside of the chroot, so that what the environment names is not there.
    const script = `said=$(${develop(`--option extra-sandbox-paths "${bash}"`)}); ls \${said#greetings from }`;
    const developed = await ground.run(script, { suite, flags: namespaces });
    assert.notEqual(developed.exitCode, 0);
    assert.match(developed.stderr, /\/nix\/store\/\S+-greet\/bin\/greet'?: No such file or directory/);
  });
}

containerTest('what is in a store for a chroot can be copied to the store of the image', async () => {
  await using cache = await makeVolume();
  const path = await fillCache(cache, 'trixie');
  await using ground = await makePrefixGround('chroot', 'root');
  await ground.ok(buildTool('greet', fromCache), { cache });
  const copied = await ground.ok(
    `${nix} copy --no-check-sigs --to 'local?root=/' ${path}; ${path}/bin/greet; env -i PATH=$PATH NIX_CONF_DIR=/none nix-store --check-validity ${path} && echo valid`,
  );
  assert.equal(copied, `greetings from ${path}/bin/greet\nvalid`);
});

/** A binary cache as everybody has it, of /nix/store; the path of what is in it. */
async function fillCache(cache: Volume, suite: Suite): Promise<string> {
  const command = ['sh', '-euc', publishTool('greet')];
  const mounts = [...toolsMount, '-v', `${cache.name}:/cache`];
  const { exitCode, stdout, stderr } = await bare(await nixImage(suite), command, ...mounts);
  assert.equal(exitCode, 0, stderr);
  await give(cache, '1000');
  return stdout.trim();
}
