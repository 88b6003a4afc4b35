import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { type Container, execOk } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { buildAll, packageOf } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';

const profile = '/nix/var/nix/profiles/default';

for (const suite of suites) {
  containerTest(`${suite}: the default profile and the roots of the image follow the image`, async () => {
    await using ground = await upgradeGround(suite);
    for (const [which, main] of [
      ['A', 'old'],
      ['B', 'new'],
      ['A', 'old'],
    ] as const) {
      await using container = await ground.start(which);
      assert.equal(await leadsTo(container, profile), main);
      assert.equal(await leadsTo(container, '/nix/var/nix/gcroots/main'), main);
    }
  });
}

containerTest('a default profile that the user set is kept over an upgrade', async () => {
  await using ground = await upgradeGround('trixie');
  {
    await using a = await ground.start('A');
    await setProfile(a, 'e');
  }
  for (const which of ['B', 'A'] as const) {
    await using container = await ground.start(which);
    assert.equal(await leadsTo(container, profile), 'e');
    await execOk(container, 'nix-collect-garbage');
    assert.deepEqual((await buildAll(container, 'e')).built, []);
  }
});

containerTest('one that leads to what went with the old image gives way to the new image’s', async () => {
  await using ground = await upgradeGround('trixie');
  {
    await using a = await ground.start('A');
    await setProfile(a, 'on-old');
  }
  await using b = await ground.start('B');
  assert.equal(await leadsTo(b, profile), 'new');
});

async function setProfile(container: Container, name: 'e' | 'on-old'): Promise<void> {
  const { paths } = await buildAll(container, name);
  await execOk(container, 'nix-env', '--profile', profile, '--set', paths[name]);
  assert.equal(await leadsTo(container, profile), name);
}

/** The package at the end of a link; it is there. */
async function leadsTo(container: Container, link: string): Promise<string> {
  return packageOf(await execOk(container, 'realpath', '-e', link));
}
