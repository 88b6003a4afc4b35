import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { untilStill } from '../../../../src/state/snapshot/still.ts';
import { isInitError } from '../../fixtures.ts';

test('it tries again while something moves, or vanishes under it', async () => {
  let tries = 0;
  await untilStill('it', async () => {
    tries += 1;
    if (tries === 2) readFileSync('/no/such/file');
    return tries === 4;
  });
  assert.equal(tries, 4);
});

test('what never stands still is given up with 75, and what never was there says so', async () => {
  const expected = isInitError({ exitCode: 75, errno: 'EAGAIN', what: 'it does not stand still for a copy' });
  await assert.rejects(
    untilStill('it', async () => false, 3),
    expected,
  );
  const missing = async (): Promise<boolean> => readFileSync('/no/such/file').length > 0;
  await assert.rejects(untilStill('it', missing, 3), (error: Error) => {
    assert.match(String(error.cause), /ENOENT/);
    return expected(error);
  });
});

test('any other failure ends it', async () => {
  let tries = 0;
  const failing = async (): Promise<boolean> => {
    tries += 1;
    throw Object.assign(new Error('bad disk'), { code: 'EIO' });
  };
  await assert.rejects(untilStill('it', failing), { code: 'EIO' });
  assert.equal(tries, 1);
});
