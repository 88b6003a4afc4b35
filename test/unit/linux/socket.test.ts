import assert from 'node:assert/strict';
import { closeSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { assertAnswers, listenUnix } from '../../../src/linux/socket.ts';
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

test('a socket answers as long as somebody listens on it, however long its queue is', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/socket`;
  assert.throws(() => assertAnswers(path), { code: 'ENOENT' });
  const fd = listenUnix(path, 0o600, 0);
  const descriptors = readdirSync('/proc/self/fd').length;
  for (let clients = 0; clients < 5; clients += 1) assertAnswers(path);
  assert.equal(readdirSync('/proc/self/fd').length, descriptors);
  closeSync(fd);
  assert.throws(() => assertAnswers(path), { code: 'ECONNREFUSED' });
  assert.throws(() => assertAnswers('x'.repeat(108)), { code: 'ENAMETOOLONG' });
});
