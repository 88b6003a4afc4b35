import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineTooLong, lineCutter } from '../../../src/control/frames.ts';

test('lines are the same wherever the stream is cut', () => {
  const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', ' '));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(30)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const cut = lineCutter(1000);
      const found: string[] = [];
      let at = 0;
      for (const length of [...cuts, bytes.length]) {
        found.push(...cut(bytes.subarray(at, at + length)));
        at += length;
      }
      assert.deepEqual(
        found,
        lines.map((text) => Buffer.from(text).toString()),
      );
    }),
  );
});

test('a line may be as long as allowed, and no longer, in one piece or in many', () => {
  assert.deepEqual(lineCutter(3)(Buffer.from('abc\n')), ['abc']);
  assert.throws(() => lineCutter(3)(Buffer.from('abcd\n')), LineTooLong);
  const cut = lineCutter(3);
  cut(Buffer.from('ab'));
  assert.throws(() => cut(Buffer.from('cd')), LineTooLong);
});
