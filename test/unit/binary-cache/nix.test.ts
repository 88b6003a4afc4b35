import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepCommand, nixError } from '../../../src/binary-cache/nix.ts';
import { isPlainPath } from '../../../src/binary-cache/places.ts';
import { batches, lastLines, NixFailure } from '../../../src/nix/program.ts';
import { isInitError } from '../fixtures.ts';

const where = { nix: '/bin/nix', cache: '/v/binary-cache', key: '/v/key' };

test('paths are copied offline out of the store itself, compressed and signed', () => {
  assert.deepEqual(keepCommand(where, ['/nix/store/a', '/nix/store/b']), [
    ...['/bin/nix', '--extra-experimental-features', 'nix-command', '--offline', 'copy', '--from', 'local'],
    ...['--to', 'file:///v/binary-cache?compression=zstd&secret-key=/v/key/secret'],
    ...['/nix/store/a', '/nix/store/b'],
  ]);
});

test('no command line is longer than one may be, and no path is left out', () => {
  // As long as Nix makes them: 211 bytes of name after the hash (src/libstore/path.cc).
  const paths = Array.from({ length: 1001 }, (_, index) => `/nix/store/${`${index}`.padStart(244, '0')}`);
  const all = [...batches(paths)];
  assert.deepEqual(all.flat(), paths);
  assert.deepEqual(
    all.map(({ length }) => length),
    [400, 400, 201],
  );
  for (const batch of all) assert.ok(keepCommand(where, batch).join(' ').length < 128 * 1024);
  assert.deepEqual([...batches([])], []);
});

test('of what a program says the end is its error, on one line', () => {
  assert.equal(lastLines('one\ntwo\n\n  three  \nfour\n'), 'two three four');
  assert.equal(lastLines(''), '');
});

for (const [said, full] of [
  ['error: writing to file: No space left on device', true],
  ['error: cannot write: Disk quota exceeded', true],
  ['error: path is not valid', false],
] as const) {
  test(`${said}: ${full ? 'the volume is full' : 'something else'}`, () =>
    assert.equal(new NixFailure(said).isDiskFull, full));
}

test('a program of Nix that fails at boot is an error of one line, with what it said', () => {
  const failure = nixError('cannot make the key', new NixFailure('nix-store ended with status 1: no'));
  isInitError({ exitCode: 74, stage: 'seed', errno: 'EIO', what: /cannot make the key: .*status 1: no/ })(
    failure,
  );
  const missing = Object.assign(new Error('ENOENT: posix_spawn'), { code: 'ENOENT' });
  isInitError({ exitCode: 74, errno: 'ENOENT' })(nixError('cannot make the key', missing));
  assert.equal(nixError('again', failure), failure);
});

for (const [path, plain] of [
  ['/nix-cache', true],
  ['/v/a_b.c+d-1', true],
  ['/my cache', false],
  ['/a?b', false],
  ['/a%20b', false],
  ['/a#b', false],
  ['/käse', false],
] as const) {
  test(`${path} ${plain ? 'can' : 'cannot'} be part of a store URI`, () =>
    assert.equal(isPlainPath(path), plain));
}
