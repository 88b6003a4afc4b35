import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Incomplete, number, ProtocolError, Reader, text, texts } from '../../../src/nix/wire.ts';

test('a number is eight bytes, the lowest first', () => {
  assert.equal(number(0x0125).toString('hex'), '2501000000000000');
  assert.equal(new Reader(number(0x6e697863)).number(), 0x6e697863);
});

const padded: [string, string][] = [
  ['', '0000000000000000'],
  ['abc', '0300000000000000 6162630000000000'],
  ['abcdefgh', '0800000000000000 6162636465666768'],
  ['ä', '0200000000000000 c3a4000000000000'],
];

for (const [value, hex] of padded) {
  test(`the text '${value}' has its length in bytes and is padded to eight`, () => {
    assert.equal(text(value).toString('hex'), hex.replace(' ', ''));
    assert.equal(new Reader(text(value)).text(), value);
  });
}

test('a list is its length and its members', () => {
  const bytes = Buffer.concat([texts(['a', '', 'b c']), number(7)]);
  const reader = new Reader(bytes);
  assert.deepEqual(
    reader.list((each) => each.text()),
    ['a', '', 'b c'],
  );
  assert.equal(reader.number(), 7);
  assert.equal(reader.at, bytes.length);
});

test('cut off anywhere, it is incomplete and nothing else', () => {
  const bytes = Buffer.concat([number(1), text('hello, world'), texts(['a', 'b'])]);
  const read = (reader: Reader) => [reader.number(), reader.text(), reader.list((each) => each.text())];
  assert.deepEqual(read(new Reader(bytes)), [1, 'hello, world', ['a', 'b']]);
  for (let length = 0; length < bytes.length; length += 1)
    assert.throws(() => read(new Reader(bytes.subarray(0, length))), Incomplete, `${length} bytes`);
});

test('a list that claims to be endless is incomplete, not a loop', () => {
  const endless = new Reader(Buffer.concat([number(Number.MAX_SAFE_INTEGER), text('a')]));
  assert.throws(() => endless.list((each) => each.text()), Incomplete);
});

const hostile: [string, Buffer, (reader: Reader) => unknown, RegExp][] = [
  ['a number beyond what can be counted', Buffer.alloc(8, 0xff), (reader) => reader.number(), /too large/],
  ['a text longer than any', number(64 * 1024 + 1), (reader) => reader.text(), /65537 bytes/],
  ['a text as long as memory', Buffer.alloc(8, 0x7f), (reader) => reader.text(), /too large/],
  [
    'padding that hides something',
    Buffer.concat([number(1), Buffer.from('a1234567')]),
    (reader) => reader.text(),
    /padded/,
  ],
];

for (const [name, bytes, read, message] of hostile) {
  test(`${name} is refused at once`, () => {
    assert.throws(
      () => read(new Reader(bytes)),
      (error: unknown) => {
        assert.ok(error instanceof ProtocolError);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
