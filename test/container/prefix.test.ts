import assert from 'node:assert/strict';
import { type Suite, suites } from '../harness/base.ts';
import { execOk } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertVerified } from '../harness/nix.ts';
import {
  announcedFlags,
  assertThere,
  buildTool,
  develop,
  fromCache,
  give,
  makePrefixGround,
  publishTool,
} from '../harness/prefixGround.ts';
import { makeVolume, type Volume } from '../harness/volume.ts';

for (const suite of suites) {
  containerTest(`Debian ${suite}: a user without privileges keeps what was built and fetched`, async () => {
    await using cache = await makeVolume();
    const fetched = await fillCache(cache, suite);
    await using ground = await makePrefixGround('prefix');

    const first = await ground.run(buildTool('greet'), { suite });
    assert.match(first.stderr, /building '\/opt\/nix\/store\/[a-z0-9]{32}-greet\.drv'/);
    const greet = first.stdout.trim();
    const got = await ground.run(buildTool('other', fromCache), { suite, cache });
    assert.match(got.stderr, /copying path .*-other' from 'file:\/\/\/cache'/);
    assert.doesNotMatch(got.stderr, /building '/);
    assert.equal(got.stdout.trim(), fetched);

    // A new container, without the cache and without a network, as all of these are.
    const both = `${buildTool('greet')}; ${buildTool('other')}; ${greet}/bin/greet; ${verify}`;
    const there = await ground.run(both, { suite });
    assert.equal(assertThere(there), `${greet}\n${fetched}\ngreetings from ${greet}/bin/greet`);
    assertVerified(there);

    // nix-env makes the link to the profile anew in a container that has none yet.
    await ground.ok('nix-env -f /tools/tools.nix -iA greet', { suite });
    const installed = await ground.run(
      `nix-env -q; nix-store --gc; ~/.nix-profile/bin/greet; ls -d ${greet} ${fetched} || true; ${verify}`,
      { suite },
    );
    assert.equal(installed.exitCode, 0, installed.stderr);
    assert.match(installed.stdout, /^greet\n(.*\n)*greetings from /);
    assert.deepEqual(installed.stdout.split('\n').slice(-1), [greet], 'the profile has it, the rest is gone');
    assertVerified(installed);
  });

  containerTest(
    `Debian ${suite}: nix develop finds in a new container what it built in another`,
    async () => {
      await using ground = await makePrefixGround('prefix');
      const first = await ground.run(develop(), { suite });
      assert.match(first.stdout, /^greetings from \/opt\/nix\/store\/\S+-greet\/bin\/greet$/, first.stderr);
      assert.match(first.stderr, /building '/);
      assert.equal(assertThere(await ground.run(develop(), { suite })), first.stdout.trim());
    },
  );
}

containerTest(
  'other images, of newer and newer Nix, find on the volume what the first one built',
  async () => {
    await using ground = await makePrefixGround('prefix');
    let path: string | undefined;
    for (const suite of suites) {
      const outcome = await ground.run(buildTool('greet'), { suite });
      path ??= outcome.stdout.trim();
      assert.notEqual(path, '', outcome.stderr);
      assert.equal(outcome.stdout.trim(), path, outcome.stderr);
      if (suite !== 'bookworm') assertThere(outcome);
      assert.equal(await ground.ok(`${path}/bin/greet`, { suite }), `greetings from ${path}/bin/greet`);
    }
  },
);

containerTest('what a project has built is kept although the project is not mounted', async () => {
  await using project = await makeVolume();
  await give(project, '1000');
  await using ground = await makePrefixGround('prefix');
  const flags = ['-v', `${project.name}:/work`];
  const built = await ground.ok('nix-build /tools/tools.nix -A greet -o /work/result', { flags });
  const other = await ground.ok(buildTool('other'));
  const collect = (path: string): string => `nix-store --gc >/dev/null; ls -d ${path} ${other} || true`;
  assert.equal(await ground.ok(collect(built)), built);
  // Once the project is there without its link, nothing keeps it.
  assert.equal(await ground.ok(`rm /work/result; ${collect(built)}`, { flags }), '');
});

for (const suite of ['bookworm', 'forky'] as const) {
  containerTest(
    `Debian ${suite}: nothing is written outside of the volume but links of the profile`,
    async () => {
      await using ground = await makePrefixGround('prefix');
      await using container = await ground.start({ suite });
      const flags = await announcedFlags(container);
      const script = `${buildTool('greet')}; nix-env -f /tools/tools.nix -iA other
      nix --extra-experimental-features nix-command eval --impure --expr '1 + 1'
      nix --extra-experimental-features nix-command copy --to file:///opt/nix/binary-cache $(${buildTool('greet')})`;
      const done = await container.exec(['sh', '-euc', script], ...flags);
      assert.equal(done.exitCode, 0, done.stderr);
      const changed = (await docker('diff', container.name)).stdout.split('\n');
      const ours = changed.filter(
        (line) => !/^[AC] \/(tmp|run|home|home\/alice|opt|opt\/nix|tools)$/.test(line),
      );
      const links = /^A \/home\/alice\/\.(nix-profile|nix-defexpr(\/.*)?)$/;
      assert.deepEqual(
        ours.filter((line) => !links.test(line)),
        [],
      );
    },
  );
}

containerTest(
  'a shell of `docker exec` as a user is told the store by the flags that init names',
  async () => {
    await using ground = await makePrefixGround('prefix');
    await using container = await ground.start();
    const flags = await announcedFlags(container);
    const built = await container.exec(['sh', '-euc', buildTool('greet')], ...flags);
    assert.match(built.stdout.trim(), /^\/opt\/nix\/store\//, built.stderr);
    assert.equal(
      assertThere(await container.exec(['sh', '-euc', buildTool('greet')], ...flags)),
      built.stdout.trim(),
    );
  },
);

containerTest('as root, with no capability, shells find the store in nix.conf', async () => {
  await using ground = await makePrefixGround('prefix', 'root');
  const path = await ground.ok(buildTool('greet'));
  await using container = await ground.start();
  assert.equal(assertThere(await container.exec(['sh', '-euc', buildTool('greet')])), path);
  const conf = await execOk(container, 'cat', '/etc/nix/nix.conf');
  // The image's own lines are still there, and count for more.
  assert.match(conf, /^store = local\?store=\/opt\/nix\/store(.*\n)*sandbox = false$/m);
  await docker('restart', container.name);
  await container.waitForLog(/ready\n(.*\n)*ready/);
  assert.equal(await execOk(container, 'cat', '/etc/nix/nix.conf'), conf);
});

containerTest('a read-only root file system is enough', async () => {
  await using ground = await makePrefixGround('prefix');
  const flags = ['--read-only', '--tmpfs', '/tmp', '-e', 'HOME=/tmp'];
  const path = await ground.ok(buildTool('greet'), { flags });
  assert.equal(assertThere(await ground.run(buildTool('greet'), { flags })), path);
});

containerTest('a volume that the user cannot write to is refused, with what mends it', async () => {
  await using ground = await makePrefixGround('prefix');
  await give(ground.volume, '0:0');
  const { exitCode, stderr } = await ground.run('true');
  assert.equal(exitCode, 77);
  assert.match(stderr, /user 1000 cannot write to \/opt\/nix: EACCES \(docker run --user root .*chown.*\)$/m);
  await give(ground.volume, '1000');
  await ground.ok('true');
});

containerTest('two containers cannot have it at once', async () => {
  await using ground = await makePrefixGround('prefix');
  await using _first = await ground.start();
  const second = await ground.run('true');
  assert.equal(second.exitCode, 75, second.stderr);
});

const verify = 'nix-store --verify --check-contents';

/** A binary cache made from a store of the same prefix; the path of what is in it. */
async function fillCache(cache: Volume, suite: Suite): Promise<string> {
  await give(cache, '1000');
  await using elsewhere = await makePrefixGround('prefix');
  return await elsewhere.ok(publishTool('other'), { suite, cache });
}
