import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFlakeMachine } from '../harness/flake.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { repository } from '../harness/paths.ts';

type Json = { [name: string]: Json };

const standIn = '--offline --no-write-lock-file --override-input nixpkgs path:/cases/nixpkgs path:/flake';
const init = '/init';

for (const suite of ['trixie', 'forky'] as const) {
  namespaceTest(`the flake is what Nix of ${suite} takes a flake for`, async () => {
    await using ground = await makeFlakeMachine(suite);
    await ground.run(`nix flake check --no-build --all-systems ${standIn}`);
    const shown = JSON.parse(await ground.run(`nix flake show --json --all-systems ${standIn}`)) as Json;
    assert.deepEqual(Object.keys(shown).sort(), ['apps', 'lib', 'nixosModules', 'overlays', 'packages']);

    const told = await ground.run(
      'nix-instantiate --eval --strict --json --read-write-mode /cases/cases.nix',
    );
    const { systems, package: product, app, out, rootfs, images, users, module } = JSON.parse(told);
    assert.deepEqual(systems, {
      'aarch64-linux': ['default', 'nix-cache-init'],
      'x86_64-linux': ['default', 'nix-cache-init'],
    });
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    assert.equal(product.name, `nix-cache-init-${version}`);
    assert.deepEqual(product.outputs, ['out', 'rootfs']);
    assert.equal(product.overlay, true);
    assert.equal(product.arm, 'aarch64-linux');
    assert.equal(app.program, `${out}/bin/nix-cache-init`);

    const laid = `cp -R --no-preserve=ownership ${rootfs}/. .\nchmod -R u+w opt usr run\n`;
    const config = { Entrypoint: [init], StopSignal: 'SIGTERM' };
    assert.deepEqual(images.plain, { kind: 'buildLayeredImage', name: 'plain', config, extraCommands: laid });
    assert.deepEqual(images.dressed, {
      kind: 'buildLayeredImage',
      name: 'dressed',
      tag: '1',
      contents: ['/a'],
      maxLayers: 7,
      extraCommands: `${laid}echo the user's own`,
      config: { ...config, Cmd: ['bash'], Env: ['A=1'], WorkingDir: '/work' },
    });
    assert.deepEqual(images.entrypoint.config, {
      Entrypoint: [init, '--', '/entry', 'x'],
      StopSignal: 'SIGINT',
    });
    assert.equal(images.other.kind, 'buildImage');
    assert.match(
      images.other.extraCommands,
      /cp \/nix\/store\/\S+\.json etc\/nix-cache-init\/config\.json$/m,
    );
    for (const [name, from] of [
      ['built', /-built\.tar$/],
      ['streamed', /-streamed\.tar$/],
      ['path', /-tools$/],
    ] as const) {
      assert.match(images[name].fromImage, from);
      assert.deepEqual(images[name].config, config);
    }

    assert.deepEqual(users.image.config, { ...config, Cmd: ['bash'] });
    assert.equal(users.image.includeNixDB, true);
    assert.match(users.image.extraCommands, /etc\/nix-cache-init\/config\.json/);
    assert.deepEqual(users.unit.RequiresMountsFor, ['/nix-cache']);

    assert.deepEqual(module.disabled, ['services']);
    assert.deepEqual(JSON.parse(module.settings), { strategy: 'overlay', cacheDir: '/var/cache/nix' });
    const unit = module.systemd.services['nix-cache-init'];
    assert.deepEqual(unit.unitConfig.RequiresMountsFor, ['/var/cache/nix']);
    for (const later of ['nix-daemon.socket', 'nix-daemon.service', 'shutdown.target'])
      assert.ok(unit.before.includes(later), later);
    assert.deepEqual(unit.serviceConfig, {
      Type: 'oneshot',
      RemainAfterExit: true,
      ExecStart: `${out}/bin/nix-cache-init mount`,
      ExecStop: `${out}/bin/nix-cache-init unmount`,
    });
  });
}

namespaceTest('the package of a rootfs that is there runs from the store', async () => {
  await using ground = await makeFlakeMachine('trixie');
  const out = await ground.run('nix-build /cases/image.nix -A package --no-out-link');
  // Where the one of an image has its interpreter and libraries.
  await ground.machine.shell('umount opt/nix-cache-init');
  const said = await ground.run(`${out}/bin/nix-cache-init config --json`);
  assert.equal(JSON.parse(said).strategy.value, 'auto');
  assert.match(await ground.run(`cat ${out}/share/man/man1/nix-cache-init.1`), /^\.TH/);
});

test('the hashes of what npm installs are those of the lock file: npm run nix-hashes', () => {
  const { lock } = JSON.parse(readFileSync(join(repository, 'nix/node-modules.json'), 'utf8'));
  const bytes = readFileSync(join(repository, 'package-lock.json'));
  assert.equal(`sha256-${createHash('sha256').update(bytes).digest('base64')}`, lock);
});
