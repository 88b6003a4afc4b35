import { mkdirSync, writeFileSync } from 'node:fs';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

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

function writeConfiguration(directory: string, configuration: unknown): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/config.json`, JSON.stringify(configuration));
}
