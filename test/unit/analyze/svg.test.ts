import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawAnalysis } from '../../../src/analyze/svg.ts';
import { makeAnalysis } from './cases.ts';

/** Of a monospaced font, as the picture asks for. */
const LETTER = 12 * 0.6;

type Box = { x: number; y: number; width: number };

/** The labels on the left of the rows, by what they say. */
const labelsOf = (picture: string): (Box & { text: string })[] =>
  Array.from(
    picture.matchAll(/<\/title>\n<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<\/text>/g),
    ([, x, y, text = '']) => ({ x: Number(x), y: Number(y), text, width: [...text].length * LETTER }),
  );

const barsOf = (picture: string): Box[] =>
  Array.from(
    picture.matchAll(/<rect class="\w+" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g),
    ([, x, y, width]) => ({ x: Number(x), y: Number(y), width: Number(width) }),
  );

test('no label meets another, nor a bar, however long it is', () => {
  const picture = drawAnalysis(makeAnalysis(`a ${'very '.repeat(100)}long one`));
  const [labels, bars] = [labelsOf(picture), barsOf(picture)];
  assert.equal(labels.length, 4);
  assert.equal(bars.length, 4);
  for (const [index, label] of labels.entries()) {
    const above = labels[index - 1];
    if (above !== undefined) assert.ok(label.y - above.y >= 14);
    for (const bar of bars) assert.ok(label.x + label.width <= bar.x, label.text);
  }
  assert.match(labels[2]?.text ?? '', /…$/);
});

test('every bar is wide enough to be seen, and none goes beyond the end', () => {
  const bars = barsOf(drawAnalysis(makeAnalysis('x')));
  const [first, ...others] = bars;
  assert.ok(first !== undefined);
  const end = first.x + first.width * 2;
  for (const { x, width } of [first, ...others]) {
    assert.ok(width >= 1);
    assert.ok(x + width <= end + 2);
  }
});

test('what a path may be named is no markup', () => {
  const picture = drawAnalysis(makeAnalysis('bind "/a<b>&\u0007" to /c'));
  assert.match(picture, /bind &quot;\/a&lt;b&gt;&amp;\uFFFD&quot; to \/c/);
});

for (const [ms, ticks] of [
  [10, '0 2 4 6 8 10'],
  [700.6, '0 100 200 300 400 500 600 700'],
  [0.04, '0 0.005 0.01 0.015 0.02 0.025 0.03 0.035 0.04'],
] as const) {
  test(`the scale of ${ms} ms is round: ${ticks}`, () => {
    const picture = drawAnalysis({ ...makeAnalysis('x'), ms });
    const said = Array.from(picture.matchAll(/text-anchor="middle">([\d.]+)</g), ([, tick]) => tick);
    assert.equal(said.join(' '), ticks);
  });
}

test('it is to be read on light and on dark paper', () => {
  const picture = drawAnalysis(makeAnalysis('x'));
  assert.match(picture, /@media \(prefers-color-scheme: dark\)/);
  assert.match(picture, /<rect class="paper" width="100%" height="100%"/);
});
