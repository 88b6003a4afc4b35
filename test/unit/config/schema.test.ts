import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KeyName, keyNames, keys } from '../../../src/config/keys.ts';
import { jsonSchema } from '../../../src/config/schema.ts';

type Node = { [name: string]: unknown; properties?: Record<string, Node> };

const schema: Node = JSON.parse(JSON.stringify(jsonSchema()));

const leafOf = (name: KeyName): Node | undefined =>
  name.split('.').reduce<Node | undefined>((node, part) => node?.properties?.[part], schema);

test('it names its dialect and refuses unknown keys at every level', () => {
  assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
  assert.equal(schema['additionalProperties'], false);
  assert.equal(schema.properties?.['daemon']?.['additionalProperties'], false);
});

for (const name of keyNames) {
  test(`${name} is described with its meaning, default and type`, () => {
    const leaf = leafOf(name);
    assert.ok(leaf);
    assert.ok(String(leaf['description']).startsWith(keys[name].help));
    assert.deepEqual(leaf['default'], keys[name].initial);
    assert.ok('type' in leaf || 'anyOf' in leaf || 'enum' in leaf);
    assert.ok(!('$schema' in leaf));
  });
}

test('nothing but the keys, and what names the schema itself, is in it', () => {
  const leaves = Object.entries(schema.properties ?? {}).flatMap(([first, node]) =>
    Object.keys(node.properties ?? { '': node }).map((second) =>
      second === '' ? first : `${first}.${second}`,
    ),
  );
  assert.deepEqual(leaves.sort(), ['$schema', ...keyNames].sort());
});

test('it describes what the file says, not what the program makes of it', () => {
  assert.equal(leafOf('shutdown.grace')?.['type'], 'string');
  assert.deepEqual(leafOf('strategy')?.['enum'], keys.strategy.allowed.split(', '));
  assert.equal(leafOf('processGroup')?.['type'], 'boolean');
  assert.equal(leafOf('exitCodes')?.['type'], 'object');
});

test('its pattern for paths allows what loading allows', () => {
  const pattern = new RegExp(String(leafOf('cacheDir')?.['pattern']), 'u');
  for (const path of ['/', '/a', '/a/b c']) assert.match(path, pattern);
  for (const path of ['', 'a', '/a/', '//']) assert.doesNotMatch(path, pattern);
});
