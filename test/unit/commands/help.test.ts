import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { helpText, versionText } from '../../../src/commands/help.ts';
import { commands } from '../../../src/commands/index.ts';
import { type CommandName, usages } from '../../../src/commands/usage.ts';
import { flagName, keyNames, keys } from '../../../src/config/keys.ts';

const names = Object.keys(usages) as CommandName[];
const lines = (text: string): string[] => text.replace(/\n$/, '').split('\n');

test('the overview names every command with what it does', () => {
  const text = lines(helpText());
  for (const name of names) {
    assert.ok(
      text.some((line) => line.trim().replace(/ {2,}/, ' ') === `${name} ${usages[name].summary}`),
      name,
    );
  }
});

test('the overview fits 32 lines, and a terminal of 80 columns', () => {
  const text = lines(helpText());
  assert.ok(text.length <= 32);
  for (const line of text) assert.ok([...line].length <= 80, line);
});

test('every command but run can be called, and is described', () => {
  assert.deepEqual(Object.keys(commands).sort(), names.filter((name) => name !== 'run').sort());
});

for (const name of names) {
  const text = helpText(name);

  test(`${name} --help begins with its usage and what it does`, () => {
    assert.deepEqual(lines(text).slice(0, 2), [
      `Usage: nix-cache-init ${usages[name].usage}`,
      usages[name].summary,
    ]);
    assert.ok(usages[name].usage.startsWith(name));
  });

  const { switches = {}, values = {} } = usages[name];

  test(`${name} --help names its own options with what they do`, () => {
    for (const [own, help] of Object.entries({ ...values, ...switches }))
      assert.ok(lines(text).includes(`  --${own.padEnd(18)}${help}`), own);
    assert.match(text, /^ {2}--config .*\/etc\/nix-cache-init\/config\.json/m);
    for (const line of lines(text)) assert.ok([...line].length <= 80, line);
  });

  if (name === 'run') continue;
  test(`${name} --help fits a terminal of 24 lines and says where the other options are`, () => {
    assert.ok(lines(text).length <= 24);
    assert.match(text, /nix-cache-init run --help/);
  });
}

test('run --help names every key with its meaning and default', () => {
  for (const key of keyNames) {
    const { help, initial } = keys[key];
    const shown = typeof initial === 'string' ? initial : JSON.stringify(initial);
    const line = `  --${flagName(key).padEnd(18)}${help} [${shown ?? 'none'}]`;
    assert.ok(lines(helpText('run')).includes(line), key);
  }
});

test('the version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  assert.equal(versionText, `nix-cache-init ${version}\n`);
});
