import assert from 'node:assert/strict';
import { closeSync, read, statSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { bindUnixDatagram, discardDatagrams, setReceiveTimeout } from '../../../src/linux/datagram.ts';
import { run } from '../../harness/run.ts';
import { temporaryDirectory } from '../fixtures.ts';

/** Sends `count` times without ever waiting: a full queue is an error. */
const send = (path: string, count: number) =>
  run('perl', [
    '-MSocket=:all',
    '-e',
    'socket(S, PF_UNIX, SOCK_DGRAM, 0); for (1 .. $ARGV[1]) { send(S, "x", MSG_DONTWAIT, sockaddr_un($ARGV[0])) or die "$_: $!" }',
    path,
    String(count),
  ]);

const readOnce = (fd: number) => promisify(read)(fd, Buffer.alloc(8), 0, 8, null);

test('what is sent is read, from a socket of the given mode', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/socket`;
  const fd = bindUnixDatagram(path, 0o600);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal((await send(path, 1)).exitCode, 0);
  assert.equal((await readOnce(fd)).bytesRead, 1);
  closeSync(fd);
});

test('a read gives up after its time', async () => {
  using directory = temporaryDirectory();
  const fd = bindUnixDatagram(`${directory.path}/socket`, 0o600);
  for (const ms of [0, 0.2, 50, 999.9]) {
    setReceiveTimeout(fd, ms);
    const started = performance.now();
    await assert.rejects(readOnce(fd), { code: 'EAGAIN' });
    assert.ok(performance.now() - started >= ms - 1, `${ms} ms`);
  }
  closeSync(fd);
});

test('a socket that is not read makes senders wait, unless everything is discarded', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/socket`;
  const fd = bindUnixDatagram(path, 0o600);
  assert.notEqual((await send(path, 5000)).exitCode, 0);
  discardDatagrams(fd);
  assert.equal((await send(path, 5000)).exitCode, 0);
  setReceiveTimeout(fd, 1);
  await assert.rejects(readOnce(fd), { code: 'EAGAIN' }, 'neither the old nor the new are there');
  closeSync(fd);
});
