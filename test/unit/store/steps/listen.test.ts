import assert from 'node:assert/strict';
import { closeSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { listen } from '../../../../src/store/steps/listen.ts';
import { temporaryDirectory } from '../../fixtures.ts';

const step = (socket: string) => ({ do: 'listen', socket, service: 's', command: 'c' }) as const;

test('the socket is for everyone, in a directory that is made, and replaces an older one', () => {
  using directory = temporaryDirectory();
  const socket = `${directory.path}/made/socket`;
  for (let boot = 0; boot < 2; boot += 1) {
    const fd = listen(step(socket));
    assert.equal(statSync(socket).mode & 0o777, 0o666);
    closeSync(fd);
  }
});

test('a file that is no socket stays as it is', () => {
  using directory = temporaryDirectory();
  const socket = `${directory.path}/file`;
  writeFileSync(socket, 'precious');
  assert.throws(() => listen(step(socket)), { code: 'EADDRINUSE' });
  assert.equal(readFileSync(socket, 'utf8'), 'precious');
});
