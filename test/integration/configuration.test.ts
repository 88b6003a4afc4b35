import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { acting, said } from '../harness/services.ts';

namespaceTest('a bad value is refused with its key, its source and what is allowed', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const refused = /^nix-cache-init: config: .*strategy.*overlayfs.*overlay, /;
  const bad = 'overlayfs';
  assertFails(
    await bootInNamespace(machine, { args: ['--strategy', bad, '--', 'true'] }),
    78,
    new RegExp(`${refused.source}`),
  );
  assertFails(
    await bootInNamespace(machine, { args: ['true'], env: { NIX_CACHE_INIT_STRATEGY: bad } }),
    78,
    /strategy.*overlayfs.*NIX_CACHE_INIT_STRATEGY.*overlay, /,
  );
  writeConfiguration(machine.path('/etc/nix-cache-init'), { strategy: bad });
  assertFails(
    await bootInNamespace(machine, { args: ['true'] }),
    78,
    /strategy.*overlayfs.*\/etc\/nix-cache-init\/config\.json.*overlay, /,
  );
});

namespaceTest('a key that does not exist is refused with the nearest one that does', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  assertFails(
    await bootInNamespace(machine, { args: plain('true'), env: { NIX_CACHE_INIT_CACHEDIR: '/x' } }),
    78,
    /NIX_CACHE_INIT_CACHEDIR.*NIX_CACHE_INIT_CACHE_DIR/,
  );
  writeConfiguration(machine.path('/etc/nix-cache-init'), { shutdown: { grase: '1s' } });
  assertFails(await bootInNamespace(machine, { args: plain('true') }), 78, /grase.*shutdown\.grace/);
});

namespaceTest('a configuration file that is not JSON, or was named and is missing, is refused', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const missing = { args: ['--config', '/no/such/file', ...plain('true')] };
  assertFails(await bootInNamespace(machine, missing), 78, /\/no\/such\/file: ENOENT/);
  mkdirSync(machine.path('/etc/nix-cache-init'));
  writeFileSync(machine.path('/etc/nix-cache-init/config.json'), '{"strategy": ');
  assertFails(await bootInNamespace(machine, { args: plain('true') }), 78, /config\.json.*JSON/);
});

namespaceTest(
  'services of the file run, a mistake in them is refused, their environments are not shown',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const web = {
      ...acting('web', 'env:PASSWORD', 'newline:3', 'stay'),
      env: { PASSWORD: 'secret' },
      ready: { fd: 3 },
    };
    const directory = machine.path('/etc/nix-cache-init');
    writeConfiguration(directory, { services: { web } });
    const { stderr } = await bootInNamespace(machine, { args: plain('true') });
    assert.deepEqual(said(stderr), ['web PASSWORD=secret']);
    const shown = await bootInNamespace(machine, {
      program: ['/opt/nix-cache-init/bin/nix-cache-init'],
      args: ['config'],
    });
    assert.match(shown.stdout, /^services .*"PASSWORD":"…".*file \/etc/m);
    assert.doesNotMatch(shown.stdout, /secret/);
    writeConfiguration(directory, { services: { web: { ...web, restrat: 'never' } } });
    assertFails(
      await bootInNamespace(machine, { args: plain('true') }),
      78,
      /services\.web\.restrat in file .*config\.json: EINVAL \(did you mean services\.web\.restart\?\)/,
    );
  },
);

function writeConfiguration(directory: string, configuration: unknown): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/config.json`, JSON.stringify(configuration));
}
