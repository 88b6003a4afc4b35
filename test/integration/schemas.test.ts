import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { usages } from '../../src/commands/usage.ts';
import { program } from '../harness/checking.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';

/** What a command that needs more is given beside --json. */
const further: Record<string, string> = {
  logs: '--last 1',
  push: '--to file:///tmp/pushed',
  service: 'uninstall',
  restart: 'idler',
  export: '--to /tmp/exported $(readlink -f /nix/var/nix/profiles/default)',
};

const names = Object.entries(usages)
  .filter(([, { switches }]) => switches !== undefined && 'json' in switches)
  .map(([name]) => name);

namespaceTest('what each command says with --json is as its published schema has it', async () => {
  await using nix = await makeNixMachine({ images: ['A'] });
  assert.ok(names.length >= 6);
  const script = names
    .filter((name) => name !== 'unmount')
    .map(
      (name) => `
      ${program} ${name} ${name === 'config' ? '--json --schema' : '--schema'} >/tmp/${name}.schema
      ${program} ${name} --json ${further[name] ?? ''} >/tmp/${name}.answer || [ $? = 1 ] || echo "${name}: $?"`,
    );
  // analyze: what was recorded before the command ran is enough.
  const services = JSON.stringify({ idler: { command: 'sleep', args: ['1000'] } });
  const env = { NIX_CACHE_INIT_SERVICES: services };
  const { exitCode, stdout, stderr } = await nix.boot(['sh', '-euc', script.join('\n')], { env });
  assert.deepEqual([exitCode, stdout], [0, ''], stderr);
  // Where no init runs.
  const hook = `
    ${program} unmount --schema >/tmp/unmount.schema
    ${program} mount --strategy=overlay
    ${program} unmount --json >/tmp/unmount.answer`;
  const hooked = await bootInNamespace(nix.machine, { program: ['sh', '-euc', hook], args: [] });
  assert.equal(hooked.exitCode, 0, hooked.stderr);
  const json = (name: string) => JSON.parse(readFileSync(nix.machine.path(`/tmp/${name}`), 'utf8'));
  for (const name of names) {
    const schema = json(`${name}.schema`);
    assert.equal(schema.title, `nix-cache-init ${name}`);
    // The patterns for times are there for readers without this vocabulary, too.
    const ajv = new Ajv2020({ validateFormats: false });
    const valid = ajv.validate(schema, json(`${name}.answer`));
    assert.ok(valid, `${name}: ${ajv.errorsText()}`);
    assert.ok(!ajv.validate(schema, { ...json(`${name}.answer`), more: 1 }), `${name} allows anything`);
  }
});
