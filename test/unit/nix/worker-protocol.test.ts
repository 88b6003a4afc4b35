import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Incomplete, ProtocolError, Reader } from '../../../src/nix/wire.ts';
import {
  askValidPaths,
  DaemonRefusal,
  greeting,
  readHello,
  readValidPaths,
  VersionMismatch,
} from '../../../src/nix/worker-protocol.ts';
import { magic1, magic2, messages, said, version } from './bytes.ts';

test('the greeting says the last version without features, and nothing that old daemons would not read', () => {
  assert.deepEqual(greeting, said(magic1, version(37), 0, 0));
});

/** What daemons of these versions say, and what of it we know then. */
const daemons: [string, Buffer, string | null, boolean | null][] = [
  ['1.18, Nix 2.0', said(magic2, version(18), messages.last), null, null],
  ['1.34, Nix 2.8', said(magic2, version(34), '2.8.0', messages.last), '2.8.0', null],
  ['1.35', said(magic2, version(35), '2.16.0', 0, messages.last), '2.16.0', null],
  // Newer than us, they speak as we do.
  ['1.38, Nix 2.26', said(magic2, version(38), '2.26.3', 1, messages.last), '2.26.3', true],
  ['1.99', said(magic2, version(99), '9.0', 2, messages.last), '9.0', false],
];

for (const [name, bytes, nixVersion, trusted] of daemons) {
  test(`protocol ${name}`, () => {
    const reader = new Reader(bytes);
    const { protocol, ...hello } = readHello(reader);
    assert.deepEqual(hello, { nixVersion, trusted });
    assert.equal(`1.${protocol.minor}`, name.split(',')[0]);
    assert.equal(reader.at, bytes.length);
    for (let length = 0; length < bytes.length; length += 1)
      assert.throws(() => readHello(new Reader(bytes.subarray(0, length))), Incomplete, `${length} bytes`);
  });
}

test('what a daemon has to tell people is passed over', () => {
  const chatter = [
    ...[messages.next, 'a warning\n'],
    ...[messages.startActivity, 1, 2, 3, 'copying', 2, 0, 7, 1, 'a text', 0],
    ...[messages.result, 1, 105, 1, 0, 9],
    ...[messages.stopActivity, 1],
  ];
  const bytes = said(magic2, version(37), '2.34.1', 2, ...chatter, messages.last);
  assert.equal(readHello(new Reader(bytes)).nixVersion, '2.34.1');
});

const wrong: [string, Buffer, RegExp][] = [
  ['another server', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), /a number too large|greet/],
  ['an echo', greeting, /greet/],
  ['a trust that is none', said(magic2, version(35), '2', 3), /trust/],
  ['a message of no kind', said(magic2, version(37), '2', 1, 4711), /kind 4711/],
  // It would have us send what it asks for.
  ['a wish for data', said(magic2, version(37), '2', 1, messages.read, 8), /kind/],
  ['a field of no type', said(magic2, version(37), '2', 1, messages.result, 1, 1, 1, 9), /field/],
];

for (const [name, bytes, message] of wrong) {
  test(`${name} is no nix-daemon`, () => {
    assert.throws(
      () => readHello(new Reader(bytes)),
      (error: unknown) => {
        assert.ok(error instanceof ProtocolError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

for (const [major, minor] of [
  [1, 17],
  [2, 0],
  [0, 40],
] as const) {
  test(`protocol ${major}.${minor} is not spoken`, () => {
    const bytes = said(magic2, version(minor, major));
    assert.throws(() => readHello(new Reader(bytes)), VersionMismatch);
  });
}

const errors: [string, number, Buffer][] = [
  ['with a trace', 34, said('Error', 0, 'Error', '\u001b[31mno\u001b[0m', 0, 1, 0, 'while waiting')],
  ['of old', 25, said('no', 1)],
];

for (const [name, minor, error] of errors) {
  test(`an error ${name} is told in its own words, without colours`, () => {
    const bytes = Buffer.concat([
      ...[said(magic2, version(minor)), minor >= 33 ? said('2.8.0') : said(), said(messages.error), error],
    ]);
    assert.throws(
      () => readHello(new Reader(bytes)),
      (thrown: unknown) => {
        assert.ok(thrown instanceof DaemonRefusal);
        assert.equal(thrown.message, 'no');
        return true;
      },
    );
  });
}

test('paths are asked for without substitutes, where that can be said', () => {
  assert.deepEqual(askValidPaths(['/s/a', '/s/b'], { major: 1, minor: 38 }), said(31, 2, '/s/a', '/s/b', 0));
  assert.deepEqual(askValidPaths(['/s/a'], { major: 1, minor: 26 }), said(31, 1, '/s/a'));
});

test('the valid ones are the answer', () => {
  const protocol = { major: 1, minor: 38 };
  const answer = said(messages.next, 'x', messages.last, 1, '/s/a');
  assert.deepEqual(readValidPaths(new Reader(answer), protocol), ['/s/a']);
  assert.throws(() => readValidPaths(new Reader(answer.subarray(0, -1)), protocol), Incomplete);
});
