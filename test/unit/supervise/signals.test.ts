import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootInterrupted } from '../../../src/supervise/signals.ts';

const codes: [NodeJS.Signals, number][] = [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGQUIT', 131],
  ['SIGTERM', 143],
];

for (const [signal, exitCode] of codes) {
  test(`a boot that ${signal} ended exits with ${exitCode}`, () => {
    const error = new BootInterrupted(signal);
    assert.equal(error.exitCode, exitCode);
    assert.match(error.message, new RegExp(signal));
  });
}
