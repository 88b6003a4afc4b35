import assert from 'node:assert/strict';
import type { Outcome } from './run.ts';

/** The one line of the contract: `nix-cache-init: <stage>: <what>: <errno name> (<remedy>)`. */
const contract = /^nix-cache-init: [^:]+: .+: E[A-Z0-9]+ \(.+\)$/;

export function assertFails(outcome: Outcome, exitCode: number, detail: RegExp): void {
  assert.equal(outcome.exitCode, exitCode, outcome.stderr);
  const lines = outcome.stderr.split('\n').filter((line) => line.startsWith('nix-cache-init: '));
  assert.equal(lines.length, 1, `one line, not ${lines.length}:\n${outcome.stderr}`);
  assert.match(lines[0] ?? '', contract);
  assert.match(lines[0] ?? '', detail);
}

/** Started in spite of something: one line that says so, whatever its format (JSON where no terminal is). */
export function assertOneWarning(outcome: Outcome, detail: RegExp): void {
  const lines = outcome.stderr.split('\n').filter((line) => line.trim() !== '');
  assert.equal(lines.length, 1, `one line, not ${lines.length}:\n${outcome.stderr}`);
  assert.match(lines[0] ?? '', detail);
}

/** The daemon may tell of its clients; init has nothing to say about a boot that went well. */
export function assertQuiet(outcome: Outcome): void {
  const lines = outcome.stderr
    .split('\n')
    .filter((line) => line !== '' && !line.includes('accepted connection'));
  assert.deepEqual(lines, []);
}
