import { isPart, type Row, rowsOf } from './rows.ts';
import type { Analysis } from './schema.ts';

/** All in pixels. A monospaced letter is 0.6 of its size wide, which is how we know that labels fit. */
const FONT = 12;
const LETTER = FONT * 0.6;
const LINE = 22;
const MARGIN = 16;
const LABELS = 430;
const BARS = 480;
const TIMES = 78;
const WIDTH = MARGIN + LABELS + BARS + TIMES + MARGIN;
const HEAD = 64;

/** The timeline of a boot: one row for each phase and step, so that no label meets another. */
export function drawAnalysis(analysis: Analysis): string {
  const { strategy, began, ms } = analysis;
  const rows = rowsOf(analysis);
  const scale = BARS / (ms || 1);
  const bottom = HEAD + rows.length * LINE;
  const height = bottom + MARGIN;
  const title = `Boot of ${began}: ${ms.toFixed(1)} ms, strategy ${strategy}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT}">
<title>${xml(title)}</title>
<style>
.paper { fill: #ffffff } .grid { stroke: #d0d7de } text { fill: #1f2328 } .faint { fill: #656d76 }
.node, .program { fill: #8c959f } .configuration, .facts, .strategy { fill: #4493f8 } .refused { fill: #cf222e }
.steps, .services, .command { fill: #1a7f37 } .step, .service { fill: #4ac26b }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117 } .grid { stroke: #30363d } text { fill: #e6edf3 } .faint { fill: #8d96a0 }
.node, .program { fill: #6e7681 } .configuration, .facts, .strategy { fill: #388bfd } .refused { fill: #f85149 }
.steps, .services, .command { fill: #3fb950 } .step, .service { fill: #238636 }
}
</style>
<rect class="paper" width="100%" height="100%" rx="6"/>
<text x="${MARGIN}" y="26" font-weight="bold">${xml(title)}</text>
${ticksFor(ms)
  .map((at) => drawTick(at, MARGIN + LABELS + at * scale, bottom))
  .join('\n')}
${rows.map((row, index) => drawRow(row, HEAD + index * LINE, scale)).join('\n')}
</svg>
`;
}

function drawRow(row: Row, top: number, scale: number): string {
  const indent = isPart(row) ? 2 * LETTER : 0;
  const text = top + LINE / 2 + FONT * 0.35;
  const bar = MARGIN + LABELS + row.start * scale;
  // What takes next to nothing is still to be seen.
  const width = Math.max(row.ms * scale, 1.5);
  const letters = Math.floor((LABELS - indent) / LETTER) - 1;
  return `<g><title>${xml(`${row.label}: ${row.ms} ms, from ${row.start} ms on`)}</title>
<text x="${pixels(MARGIN + indent)}" y="${pixels(text)}"${isPart(row) ? ' class="faint"' : ''}>${xml(shorten(row.label, letters))}</text>
<rect class="${row.kind}" x="${pixels(bar)}" y="${top + 4}" width="${pixels(width)}" height="${LINE - 8}" rx="1.5"/>
<text x="${WIDTH - MARGIN}" y="${pixels(text)}" text-anchor="end">${row.ms.toFixed(2)} ms</text></g>`;
}

const drawTick = (at: number, x: number, bottom: number): string =>
  `<path class="grid" d="M${pixels(x)} ${HEAD - 8}V${bottom}"/><text class="faint" x="${pixels(x)}" y="${HEAD - 14}" text-anchor="middle">${at}</text>`;

/** Round numbers, at most eight of them: 1, 2 or 5 times a power of ten apart. */
function ticksFor(whole: number): number[] {
  const rough = Math.max(whole, 0.001) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) =>
    Number((index * step).toPrecision(3)),
  );
}

const pixels = (value: number): string => String(Math.round(value * 10) / 10);

const shorten = (text: string, letters: number): string => {
  const all = [...text];
  return all.length <= letters ? text : `${all.slice(0, letters - 1).join('')}…`;
};

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters are not allowed in XML, not even as entities. */
const xml = (text: string): string =>
  text.replace(/\p{Cc}/gu, '\uFFFD').replace(/[&<>"]/g, (letter) => entities[letter] ?? letter);
