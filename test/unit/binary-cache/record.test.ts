import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type LinkRecord, readRecord, renderRecord } from '../../../src/binary-cache/record.ts';
import { temporaryDirectory } from '../fixtures.ts';

const record: LinkRecord = {
  bases: [new Map([['profiles/default', 'default-1-link']])],
  links: new Map([
    ['profiles/default', { kind: 'symlink', target: 'default-2-link', uid: 0, gid: 0 }],
    ['profiles', { kind: 'directory', mode: 0o755, uid: 1000, gid: 100 }],
  ]),
  unrestored: ['profiles/b', 'profiles/a'],
};

test('a record is read as it was written', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/links.json`;
  const text = renderRecord(record);
  writeFileSync(path, text);
  const read = readRecord(path);
  assert.ok(read !== undefined && read !== 'damaged');
  assert.equal(read.text, text);
  assert.deepEqual(read.record, { ...record, unrestored: ['profiles/a', 'profiles/b'] });
  assert.equal(renderRecord(read.record), text);
});

test('equal records have equal texts, in whatever order they were found; what is no link is not in it', () => {
  const links = new Map([...record.links].toReversed()).set('gcroots/odd', { kind: 'other' });
  assert.equal(renderRecord({ ...record, links }), renderRecord(record));
});

test('no record is undefined', () => {
  using directory = temporaryDirectory();
  assert.equal(readRecord(`${directory.path}/none`), undefined);
});

const whole = JSON.parse(renderRecord(record)) as Record<string, unknown>;
const damages: [string, string][] = [
  ['nothing', ''],
  ['half of it', renderRecord(record).slice(0, 40)],
  ['no object', '7'],
  ...(
    [
      ['another format', { format: 2 }],
      ['no bases', { bases: [] }],
      ['a base that is none', { bases: [{ a: 1 }] }],
      ['a link without an owner', { links: { a: { kind: 'symlink', target: 'x' } } }],
      ['a link without a target', { links: { a: { kind: 'symlink', uid: 0, gid: 0 } } }],
      ['another kind', { links: { a: { kind: 'other', uid: 0, gid: 0 } } }],
      ['no links', { links: null }],
      ['an unrestored one that is no path', { unrestored: [1] }],
    ] as const
  ).map(([name, change]): [string, string] => [name, JSON.stringify({ ...whole, ...change })]),
];

for (const [name, text] of damages) {
  test(`a record with ${name} is damaged`, () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/links.json`;
    writeFileSync(path, text);
    assert.equal(readRecord(path), 'damaged');
  });
}
