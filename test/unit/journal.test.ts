import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entry, Journal } from '../../src/journal.ts';
import { createLog } from '../../src/log.ts';

const entry = (message: string): Entry => ({ time: 0, level: 'info', message, fields: {} });

test('it keeps the last of what was said, and no more', () => {
  const journal = new Journal();
  for (let number = 0; number < 600; number += 1) journal.add(entry(`${number}`));
  assert.equal(journal.entries.length, 500);
  assert.deepEqual([journal.entries.at(0)?.message, journal.entries.at(-1)?.message], ['100', '599']);
});

test('who listens hears each new one until it stops', () => {
  const journal = new Journal();
  journal.add(entry('before'));
  const heard: string[] = [];
  const stop = journal.onEntry(({ message }) => heard.push(message));
  journal.add(entry('during'));
  stop();
  journal.add(entry('after'));
  assert.deepEqual(heard, ['during']);
});

test('it gets what the log does not show', () => {
  const journal = new Journal();
  createLog({ 'log.level': 'silent', 'log.format': 'text' }, journal).debug('quiet', { a: 1 });
  assert.deepEqual(
    journal.entries.map(({ level, message, fields }) => [level, message, fields]),
    [['debug', 'quiet', { a: 1 }]],
  );
});
