import assert from 'node:assert/strict';
import { boot } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { debianImage } from '../harness/images.ts';
import { assertNothingBuilt, assertVerified, build, builtPath } from '../harness/nix.ts';
import {
  assertThere,
  buildTool,
  kinds,
  makePrefixGround,
  type PrefixGround,
  toolsMount,
} from '../harness/prefixGround.ts';
import { makeVolume } from '../harness/volume.ts';

/** Builds in an overlay on the same volume. */
const inOverlay = (ground: PrefixGround, command: string[]) =>
  boot({
    volume: ground.volume.name,
    env: { NIX_CACHE_INIT_STRATEGY: 'overlay', NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail' },
    command,
  });

const verify = ['nix-store', '--verify', '--check-contents'];
const manifest = 'cat /nix-cache/.nix-cache-init/manifest.json';

containerTest(
  'a volume that an overlay uses can have a store of its own beside it, and both stay whole',
  async () => {
    await using ground = await makePrefixGround('chroot', 'root');
    const inside = builtPath(await inOverlay(ground, build('c')));
    const before = (await ground.volume.shell(manifest)).stdout;
    const added = await ground.ok('nix-store --add /tools');
    assert.equal((await ground.volume.shell(manifest)).stdout, before);
    assert.equal(assertNothingBuilt(await inOverlay(ground, build('c'))), inside);
    assertVerified(await inOverlay(ground, verify));
    assert.equal(
      await ground.ok(`nix-store --query --size ${added} >/dev/null; ls -d /nix-cache/root${added}`),
      `/nix-cache/root${added}`,
    );
    assertVerified(await ground.run(verify.join(' ')));
  },
);

containerTest('a volume of a store of its own can be used by an overlay later', async () => {
  await using ground = await makePrefixGround('chroot', 'root');
  const added = await ground.ok('nix-store --add /tools');
  assert.equal(JSON.parse((await ground.volume.shell(manifest)).stdout).strategy, 'prefix');
  const inside = builtPath(await inOverlay(ground, build('c')));
  assert.equal(assertNothingBuilt(await inOverlay(ground, build('c'))), inside);
  assert.equal(JSON.parse((await ground.volume.shell(manifest)).stdout).strategy, 'overlay');
  assert.equal(await ground.ok('nix-store --add /tools'), added);
  assertVerified(await ground.run(verify.join(' ')));
});

for (const kind of ['prefix', 'chroot'] as const) {
  containerTest(`check knows a store of its own (${kind}), and what is wrong with it`, async () => {
    await using ground = await makePrefixGround(kind);
    const path = await ground.ok('nix-store --add /tools');
    const check = 'nix-cache-init check --contents';
    assert.match(await ground.ok(check), / on the volume, with .*\n1 valid paths: nothing wrong$/);
    const { storeDir, real } = kinds[kind];
    const file = `${real}${path.slice(storeDir.length)}`;
    const broken = await ground.run(
      `chmod u+w ${file} ${file}/tools.nix; echo >>${file}/tools.nix; ${check}`,
    );
    assert.equal(broken.exitCode, 1, broken.stderr);
    assert.match(broken.stdout, new RegExp(`^modified +${path} `, 'm'));
    const repaired = await ground.run(`${check} --repair; nix-store --check-validity ${path}`);
    assert.match(repaired.stdout, new RegExp(`^invalidated +${path}$`, 'm'), repaired.stderr);
    assert.notEqual(repaired.exitCode, 0);
  });
}

containerTest('on an image without /nix, a volume there is a store at its usual place', async () => {
  await using volume = await makeVolume();
  const build = {
    image: await debianImage(),
    grant: 'nothing' as const,
    flags: ['-v', `${volume.name}:/nix`, ...toolsMount, '--cap-drop', 'ALL'],
    env: {
      NIX_CACHE_INIT_STRATEGY: 'prefix',
      NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail',
      NIX_CACHE_INIT_CACHE_DIR: '/nix',
    },
    command: ['sh', '-euc', `path=$(${buildTool('greet')}); $path/bin/greet`],
  };
  const first = await boot(build);
  assert.match(first.stdout, /^greetings from \/nix\/store\//, first.stderr);
  assert.equal(assertThere(await boot(build)), first.stdout.trim());
});
