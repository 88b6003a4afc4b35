import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nixDaemon } from '../../../src/supervise/nix-daemon.ts';
import { makeConfig, recordingLog } from '../fixtures.ts';

/** NIX_CONFIG of a daemon, where init's own is `inherited`. */
function nixConfig(inherited: string | undefined, lines?: string[]): string | undefined {
  const before = process.env['NIX_CONFIG'];
  const set = (value: string | undefined): void => {
    if (value === undefined) delete process.env['NIX_CONFIG'];
    else process.env['NIX_CONFIG'] = value;
  };
  set(inherited);
  try {
    const listening = { command: '/bin/nix-daemon', socket: 3, ...(lines && { nixConfig: lines }) };
    return nixDaemon(listening, makeConfig(), recordingLog().log).env['NIX_CONFIG'];
  } finally {
    set(before);
  }
}

test('a strategy’s lines come after those of the user, and of who has none to say the user’s stay', () => {
  assert.equal(nixConfig('cores = 3', ['a = 1', 'b = 2']), 'cores = 3\na = 1\nb = 2');
  assert.equal(nixConfig(undefined, ['a = 1']), '\na = 1');
  assert.equal(nixConfig('cores = 3'), undefined);
});

test('its arguments come first, the user’s after them', () => {
  const config = makeConfig({ 'daemon.args': ['--store', 'other'] });
  const listening = { command: '/bin/nix-daemon', socket: 3, args: ['--store', 'ours'] };
  const { args, env } = nixDaemon(listening, config, recordingLog().log);
  assert.deepEqual(args, ['--store', 'ours', '--store', 'other']);
  assert.equal(env['NIX_REMOTE'], undefined);
});
