import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listenUnix } from '../../../src/linux/socket.ts';
import { helloDaemon } from '../../../src/nix/hello.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { magic2, messages, said, version } from './bytes.ts';

// The client blocks its thread, so that whoever answers is another process.
const peerProgram = fileURLToPath(new URL('../../fixtures/programs/daemon-peer.pl', import.meta.url));

type Peer = AsyncDisposable & { socket: string };

/** A listener that says these bytes to everyone: all at once, byte by byte, or without an end. */
async function peer(directory: string, manner: string, answer: Buffer): Promise<Peer> {
  const socket = `${directory}/socket`;
  const child = spawn('perl', [peerProgram, socket, manner, answer.toString('hex')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  await once(createInterface(child.stdout), 'line');
  return {
    socket,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const hello = said(magic2, version(38), '2.34.1', 2, messages.last);
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;
const PATIENCE_MS = 20_000;

for (const manner of ['whole', 'bytes']) {
  test(`a daemon that answers, ${manner}`, async () => {
    using directory = temporaryDirectory();
    await using daemon = await peer(directory.path, manner, hello);
    const before = openDescriptors();
    assert.deepEqual(helloDaemon(daemon.socket, PATIENCE_MS), {
      kind: 'daemon',
      protocol: { major: 1, minor: 38 },
      nixVersion: '2.34.1',
      trusted: false,
      valid: [],
    });
    assert.equal(openDescriptors(), before);
  });
}

test('what it is asked after the greeting is answered by what comes after its own', async () => {
  using directory = temporaryDirectory();
  const answer = Buffer.concat([hello, said(messages.last, 1, '/s/b')]);
  await using daemon = await peer(directory.path, 'bytes', answer);
  const answered = helloDaemon(daemon.socket, PATIENCE_MS, ['/s/a', '/s/b']);
  assert.deepEqual(answered.kind === 'daemon' && answered.valid, ['/s/b']);
});

const failing: [string, string, Buffer, string][] = [
  ['another server', 'whole', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'EPROTO'],
  ['a daemon of another age', 'whole', said(magic2, version(10)), 'EPROTONOSUPPORT'],
  ['one that hangs up', 'close', Buffer.alloc(0), 'ECONNRESET'],
  ['one that hangs up in the middle', 'close', hello.subarray(0, 20), 'ECONNRESET'],
  // Not a byte more is read than the greatest answer has.
  ['one that never ends', 'endless', said(magic2, version(37), '2', 1, messages.next, 'more'), 'EPROTO'],
];

for (const [name, manner, answer, errno] of failing) {
  test(`${name}: ${errno}`, async () => {
    using directory = temporaryDirectory();
    await using daemon = await peer(directory.path, manner, answer);
    const before = openDescriptors();
    const answered = helloDaemon(daemon.socket, PATIENCE_MS);
    assert.equal(answered.kind === 'no daemon' && answered.errno, errno, JSON.stringify(answered));
    assert.equal(openDescriptors(), before);
  });
}

for (const [name, manner] of [
  ['says nothing', 'whole'],
  // Each byte is progress, and yet it never ends.
  ['is too slow', 'slow'],
] as const) {
  test(`a daemon that ${name} is given up`, async () => {
    using directory = temporaryDirectory();
    await using daemon = await peer(directory.path, manner, manner === 'slow' ? hello : Buffer.alloc(0));
    const answered = helloDaemon(daemon.socket, 50);
    assert.equal(answered.kind === 'no daemon' && answered.errno, 'ETIMEDOUT');
  });
}

test('a daemon that does not even accept is given up', () => {
  using directory = temporaryDirectory();
  const socket = `${directory.path}/socket`;
  const fd = listenUnix(socket, 0o666, 0);
  try {
    // With one client in its queue there is no room for another.
    assert.equal(helloDaemon(socket, 30).kind, 'no daemon');
    assert.deepEqual(helloDaemon(socket, 30), {
      kind: 'no daemon',
      what: 'does not answer within 30 ms',
      errno: 'ETIMEDOUT',
    });
  } finally {
    closeSync(fd);
  }
});

test('a socket of which its daemon has gone, a file, and nothing at all', () => {
  using directory = temporaryDirectory();
  const socket = `${directory.path}/socket`;
  const errno = (path: string): string => {
    const answered = helloDaemon(path, PATIENCE_MS);
    return answered.kind === 'no daemon' ? answered.errno : '';
  };
  assert.equal(errno(socket), 'ENOENT');
  closeSync(listenUnix(socket, 0o666));
  assert.equal(errno(socket), 'ECONNREFUSED');
  writeFileSync(`${directory.path}/file`, '');
  assert.equal(errno(`${directory.path}/file`), 'ECONNREFUSED');
  assert.equal(errno(`${directory.path}/file/socket`), 'ENOTDIR');
  assert.equal(errno(`${directory.path}/`.padEnd(108, 'x')), 'ENAMETOOLONG');
});
