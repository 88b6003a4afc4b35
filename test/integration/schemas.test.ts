import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { usages } from '../../src/commands/usage.ts';
import { program } from '../harness/checking.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';

const services = { pause: { command: 'sleep', args: ['infinity'] } };

/** What a command that needs more is given beside --json. */
const further: Record<string, string> = {
  restart: 'pause',
  export: '--to /tmp/exported $(readlink -f /nix/var/nix/profiles/default)',
};

const names = Object.entries(usages)
  .filter(([, { switches }]) => switches !== undefined && 'json' in switches)
  .map(([name]) => name);

namespaceTest('what each command says with --json is as its published schema has it', async () => {
  await using nix = await makeNixMachine({}, (...command) => [
    ...['--strategy=overlay', `--services=${JSON.stringify(services)}`, '--'],
    ...command,
  ]);
  assert.ok(names.length >= 6);
  const script = names.map(
    (name) => `
      ${program} ${name} ${name === 'config' ? '--json --schema' : '--schema'} >/tmp/${name}.schema
      ${program} ${name} --json ${further[name] ?? ''} >/tmp/${name}.answer || [ $? = 1 ] || echo "${name}: $?"`,
  );
  const asked = [`${program} wait`, ...script].join('\n');
  const { exitCode, stdout, stderr } = await nix.boot(['sh', '-euc', asked]);
  assert.deepEqual([exitCode, stdout], [0, ''], stderr);
  const said = (name: string) => readFileSync(nix.machine.path(`/tmp/${name}`), 'utf8');
  // Of `logs` each line is one answer.
  const answerOf = (name: string): object =>
    JSON.parse(name === 'logs' ? (said(`${name}.answer`).split('\n')[0] ?? '') : said(`${name}.answer`));
  for (const name of names) {
    const schema = JSON.parse(said(`${name}.schema`));
    const answer = answerOf(name);
    assert.equal(schema.title, `nix-cache-init ${name}`);
    // The patterns for times are there for readers without this vocabulary, too.
    const ajv = new Ajv2020({ validateFormats: false });
    const valid = ajv.validate(schema, answer);
    assert.ok(valid, `${name}: ${ajv.errorsText()}`);
    assert.ok(!ajv.validate(schema, { ...answer, more: 1 }), `${name} allows anything`);
  }
});
