import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { remedies } from '../../src/errors.ts';
import { errorTexts } from '../harness/errorTexts.ts';
import { repository } from '../harness/paths.ts';

const page = readFileSync(join(repository, 'docs/troubleshooting.md'), 'utf8');
const rows = Array.from(page.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm), ([, first = '', rest = '']) => ({
  first,
  rest,
}));
const lines = rows.filter(({ first }) => !/^E[A-Z]+$/.test(first)).map(({ first }) => first);

/** Two words at least: fewer say nothing, and are parts of a line that is made elsewhere. */
const texts = errorTexts().filter(
  ({ file, text }) =>
    (text.match(/[A-Za-z]{2,}/g) ?? []).length > 1 &&
    // What `prefix` cannot do, for doctor's table.
    file !== 'src/store/prefix.ts',
);

/** Whether a line of the page is what the source says; `…` on either side is anything. */
function says(line: string, text: string): boolean {
  const pattern = line.replaceAll(/[\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('…', '.*');
  return new RegExp(`^${pattern}$`).test(text);
}

test('texts are found, and told apart', () => {
  assert.ok(texts.length > 60);
  assert.ok(says('… is on overlayfs, which', '… is on overlayfs, which'));
  assert.ok(!says('… is on overlayfs, which', '… is on overlayfs'));
});

for (const line of lines) {
  test(`the source says: ${line}`, () => {
    assert.ok(
      texts.some(({ text }) => says(line, text)),
      'docs/troubleshooting.md has a line that nothing says',
    );
  });
}

for (const { file, text } of texts) {
  test(`docs/troubleshooting.md has: ${text}`, () => {
    assert.ok(
      lines.some((line) => says(line, text)),
      `no line for what ${file} says`,
    );
  });
}

test('it has the remedy of each errno that has one', () => {
  const said = Object.fromEntries(rows.map(({ first, rest }) => [first, rest]));
  for (const [errno, remedy] of Object.entries(remedies)) assert.equal(said[errno], remedy);
});

test('the codes are those that there are', () => {
  for (const { first, rest } of rows) {
    if (lines.includes(first)) assert.match(rest, /^(64|7[4578]|12[67]) \|/, first);
  }
});
