import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Journal } from '../../../src/journal.ts';
import { createLog } from '../../../src/log.ts';
import { beginBeside } from '../../../src/supervise/beside.ts';

test('one that fails is told, and keeps no other from beginning', () => {
  const journal = new Journal();
  const log = createLog({ 'log.level': 'silent', 'log.format': 'json' }, journal);
  const begun: string[] = [];
  const fail = (): void => {
    throw new Error('no inotify left');
  };
  beginBeside([fail, (running: string) => begun.push(running)], 'command', log);
  assert.deepEqual(begun, ['command']);
  const [entry] = journal.entries;
  assert.equal(entry?.level, 'error');
  assert.match(String(entry?.fields['error']), /no inotify left/);
});
