import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseSha256 } from '../../../../src/state/check/hash.ts';

const hex = createHash('sha256').update('abc').digest('hex');
const base64 = createHash('sha256').update('abc').digest('base64');
// As nix-hash --to-base32 has it.
const base32 = '1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s';

for (const text of [`sha256:${hex}`, `sha256:${hex.toUpperCase()}`, `sha256:${base32}`, `sha256-${base64}`]) {
  test(`${text} is the hash of abc`, () => assert.equal(parseSha256(text), hex));
}

for (const text of [
  '',
  'sha256:',
  hex,
  `sha512:${hex}`,
  `sha256:${hex}0`,
  `sha256:${'e'.repeat(52)}`,
  `sha256:${'z'.repeat(52)}`,
]) {
  test(`${text} is no SHA-256`, () => assert.equal(parseSha256(text), undefined));
}
