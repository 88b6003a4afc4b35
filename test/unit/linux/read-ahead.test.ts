import assert from 'node:assert/strict';
import { fstatSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openAhead } from '../../../src/linux/read-ahead.ts';
import { temporaryDirectory } from '../fixtures.ts';

/** Bytes that this process has read so far (proc(5)). */
const bytesRead = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

test('a file is read through, and open until that is ended', async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/file`;
  // No whole number of pieces.
  writeFileSync(file, Buffer.alloc(5_000_001));
  const before = bytesRead();
  const ahead = openAhead(file);
  assert.equal(fstatSync(ahead.fd).size, 5_000_001);
  await ahead[Symbol.asyncDispose]();
  assert.ok(bytesRead() - before >= 5_000_001);
  assert.throws(() => fstatSync(ahead.fd), { code: 'EBADF' });
});

test('what cannot be read is not its affair; what cannot be opened is', async () => {
  using directory = temporaryDirectory();
  await openAhead(directory.path)[Symbol.asyncDispose]();
  assert.throws(() => openAhead(`${directory.path}/missing`), { code: 'ENOENT' });
});
