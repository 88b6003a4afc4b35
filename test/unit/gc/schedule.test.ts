import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import { firstDelay, gcArguments, isScheduled } from '../../../src/gc/schedule.ts';
import { makeConfig } from '../fixtures.ts';

const HOUR = 3_600_000;

test('it goes on where the last container left off', () => {
  const now = 100 * HOUR;
  const delay = (
    last: number | undefined,
    maxSize?: number,
    everyMs: number | undefined = 24 * HOUR,
  ): number => firstDelay({ everyMs, last, maxSize, now });
  assert.equal(delay(undefined), 0, 'nobody has collected yet');
  assert.equal(delay(now - 30 * HOUR), 0, 'it is due');
  assert.equal(delay(now - HOUR), 23 * HOUR);
  assert.equal(delay(now + 50 * HOUR), 24 * HOUR, 'the clock went back');
  assert.equal(delay(now - HOUR, 1024), 0, 'whether it is too large has to be looked at');
  assert.equal(firstDelay({ everyMs: undefined, last: undefined, maxSize: 1024, now }), 0);
});

test('only who writes to a volume collects by itself, and only if told to', () => {
  const scheduled = (changes: Partial<Config>, strategy: 'overlay' | 'none' | 'host' = 'overlay'): boolean =>
    isScheduled(makeConfig(changes), strategy);
  assert.equal(scheduled({}), false);
  assert.equal(scheduled({ 'gc.maxSize': 1 }), true);
  assert.equal(scheduled({ 'gc.schedule': HOUR }), true);
  assert.equal(scheduled({ 'gc.schedule': HOUR, access: 'read-only' }), false);
  assert.equal(scheduled({ 'gc.maxSize': 1 }, 'none'), false);
  assert.equal(scheduled({ 'gc.maxSize': 1 }, 'host'), false);
});

test('the process is told what it cannot read from variables', () => {
  assert.deepEqual(gcArguments(2048, 'prefix'), [
    ...['gc', '--json', '--background', '--max-size=2048', '--strategy=prefix'],
  ]);
  assert.deepEqual(gcArguments(undefined, 'overlay'), ['gc', '--json', '--background', '--strategy=overlay']);
});
