import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  forwardedSignals,
  SIGSET_BYTES,
  signalNumber,
  signalSet,
  signalsOf,
} from '../../../src/linux/signals.ts';

test('every signal of 1–31 is forwarded but KILL, STOP, CHLD and our own faults', () => {
  const kept = [4, 7, 8, 9, 11, 17, 19];
  const expected = Array.from({ length: 31 }, (_, index) => index + 1).filter(
    (number) => !kept.includes(number),
  );
  assert.deepEqual(
    [...forwardedSignals.keys()].sort((a, b) => a - b),
    expected,
  );
});

test('each under one name that names it', () => {
  assert.equal(new Set(forwardedSignals.values()).size, forwardedSignals.size);
  for (const [number, name] of forwardedSignals) assert.equal(signalNumber(name), number);
});

const sets: [number[], Record<number, number>][] = [
  [[], {}],
  [[1], { 0: 0b1 }],
  [[8], { 0: 0b1000_0000 }],
  [[9], { 1: 0b1 }],
  [[1, 2, 15], { 0: 0b11, 1: 0b0100_0000 }],
  [[15, 15], { 1: 0b0100_0000 }],
  [[22], { 2: 0b10_0000 }],
  [[64], { 7: 0b1000_0000 }],
];

for (const [signals, bytes] of sets) {
  test(`the set of ${signals.join(', ') || 'none'}`, () => {
    const expected = Buffer.alloc(SIGSET_BYTES);
    for (const [index, byte] of Object.entries(bytes)) expected[Number(index)] = byte;
    assert.deepEqual(signalSet(signals), expected);
  });
}

test('a mask of the kernel is read bit by bit', () => {
  assert.deepEqual(signalsOf(0x8000_0000_0000_4001n), [1, 15, 64]);
  assert.deepEqual(signalsOf(0n), []);
});
