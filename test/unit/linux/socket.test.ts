import assert from 'node:assert/strict';
import { closeSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connectUnix, listenUnix } from '../../../src/linux/socket.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('clients can connect although nobody accepts yet', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/socket`;
  const fd = listenUnix(path, 0o666);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const client = connect(path, resolve).on('error', reject);
  await promise.finally(() => client.destroy());
  assert.equal(statSync(path).mode & 0o777, 0o666);
  closeSync(fd);
});

test('a path that exists is refused', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/socket`;
  const fd = listenUnix(path, 0o600);
  assert.throws(() => listenUnix(path, 0o600), { code: 'EADDRINUSE' });
  closeSync(fd);
});

// sun_path takes 108 bytes with its NUL, and counts bytes, not characters (unix(7)).
const lengths: [string, number, boolean][] = [
  ['x', 107, true],
  ['x', 108, false],
  ['ö', 106, false],
];

for (const [letter, length, fits] of lengths) {
  test(`a path of ${length} characters ${letter} ${fits ? 'fits' : 'is too long'}`, () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/`.padEnd(length, letter);
    if (fits) closeSync(listenUnix(path, 0o600));
    else assert.throws(() => listenUnix(path, 0o600), { code: 'ENAMETOOLONG', path });
  });
}

test('a socket that cannot be bound is closed', () => {
  using directory = temporaryDirectory();
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  assert.throws(() => listenUnix(`${directory.path}/no/socket`, 0o600), { code: 'ENOENT' });
  assert.equal(open(), before);
});

test('connecting fails instead of waiting, whether nobody listens or too many wait', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/socket`;
  const open = (): number => readdirSync('/proc/self/fd').length;
  assert.throws(() => connectUnix(path), { code: 'ENOENT' });
  const listener = listenUnix(path, 0o600, 0);
  const client = connectUnix(path);
  const before = open();
  assert.throws(() => connectUnix(path), { code: 'EAGAIN' });
  assert.equal(open(), before);
  closeSync(client);
  closeSync(listener);
  assert.throws(() => connectUnix(path), { code: 'ECONNREFUSED' });
  assert.throws(() => connectUnix('x'.repeat(108)), { code: 'ENAMETOOLONG' });
});
