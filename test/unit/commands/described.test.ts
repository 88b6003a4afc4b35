import assert from 'node:assert/strict';
import { test } from 'node:test';
import { described, keyOptions } from '../../../src/commands/described.ts';
import { type CommandName, usages } from '../../../src/commands/usage.ts';
import { keyNames, keys } from '../../../src/config/keys.ts';

const keyOption = (flag: string) => keyOptions.find((option) => option.flag === flag)?.value;
const command = (name: CommandName) => described.find((one) => one.name === name);

test('every command is there with all that it has of its own', () => {
  assert.deepEqual(
    described.map(({ name, options }) => [name, options.map(({ flag }) => flag)]),
    Object.entries(usages).map(([name, { values = {}, switches = {} }]) => [
      name,
      [...Object.keys(values), ...Object.keys(switches)].map((own) => `--${own}`),
    ]),
  );
});

test('a command whose usage has operands accepts them, any other refuses them', () => {
  for (const { name, operands } of described) {
    // What doctor accepts it says to itself.
    if (name !== 'doctor') assert.equal(operands !== undefined, usages[name].operands === true, name);
  }
});

test('the words of a key are those that its refusals name', () => {
  for (const name of keyNames) {
    const { value } = keyOptions[keyNames.indexOf(name)] ?? {};
    if (typeof value === 'object')
      for (const word of value) assert.ok(keys[name].allowed.includes(word), word);
  }
  assert.deepEqual(keyOption('--strategy'), keys.strategy.allowed.split(', '));
  assert.deepEqual(keyOption('--daemon-enabled'), ['auto', 'true', 'false']);
  assert.deepEqual(keyOption('--capabilities'), ['auto', 'keep']);
});

test('paths, commands and the rest are told apart', () => {
  assert.equal(keyOption('--cache-dir'), 'directory');
  assert.equal(keyOption('--shutdown-grace'), 'text');
  assert.equal(command('run')?.operands, 'command');
  assert.equal(command('export')?.operands, 'file');
  assert.equal(command('export')?.options[0]?.value, 'directory');
  assert.equal(command('remount')?.operands, 'directory');
  assert.deepEqual(command('completions')?.operands, ['bash', 'zsh', 'fish']);
  assert.equal(command('plan')?.operands, undefined);
});
