import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { renderBar, showProgress } from '../../../src/store/progress.ts';
import { recordingLog } from '../fixtures.ts';

const bars: [number, number, number, string][] = [
  [0, 100, 0, '0 %'],
  [50, 100, 15, '50 %'],
  [99.9, 100, 30, '99 %'],
  [100, 100, 30, '100 %'],
  [1, 3, 10, '33 %'],
  [0, 0, 30, '100 %'],
  // A file may grow between the listing and the copy.
  [150, 100, 30, '100 %'],
];

for (const [done, total, cells, percent] of bars) {
  test(`${done} of ${total}: ${cells} cells, ${percent}`, () => {
    const bar = renderBar(done, total);
    assert.ok(bar.startsWith(`[${'#'.repeat(cells)}${' '.repeat(30 - cells)}]`), bar);
    assert.ok(bar.endsWith(` ${percent}`), bar);
  });
}

test('every bar is as long as the others: each is drawn over the last', () => {
  const lengths = new Set(Array.from({ length: 101 }, (_, done) => renderBar(done, 100).length));
  assert.equal(lengths.size, 1);
});

test('the first second is quiet', () => {
  const { log, lines } = recordingLog();
  const progress = showProgress('copying', log);
  for (let done = 0; done < 100; done += 1) progress.update(done, 100);
  progress.end();
  assert.deepEqual(lines, []);
});

test('after it, without a terminal, one line and then none for two seconds', {
  skip: isatty(2) && 'stderr is a terminal: a bar is drawn there instead',
}, async () => {
  const { log, lines } = recordingLog();
  const progress = showProgress('copying', log);
  await sleep(1050);
  progress.update(50, 100);
  progress.update(60, 100);
  progress.end();
  assert.deepEqual(lines, ['warn: copying: 50 %']);
});

test('a line says no more than 100 %, for what is done may be an estimate', {
  skip: isatty(2) && 'stderr is a terminal: a bar is drawn there instead',
}, async () => {
  const { log, lines } = recordingLog();
  const progress = showProgress('merging', log);
  await sleep(1050);
  progress.update(20_000, 14);
  progress.end();
  assert.deepEqual(lines, ['warn: merging: 100 %']);
});
