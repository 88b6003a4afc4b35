/** Numbers over numbers, both from 1 on. */
export type Curve = { name: string; points: readonly (readonly [x: number, y: number])[] };
export type Panel = { title: string; curves: readonly Curve[] };

/** All in pixels. */
const FONT = 12;
const PANEL = { width: 250, height: 300 };
const LEFT = 64;
const NAMES = 80;
const GAP = 16;
const TOP = 64;
const BOTTOM = 44;
const STEP = PANEL.width + NAMES + GAP;
const HEIGHT = TOP + PANEL.height + BOTTOM;

const colours = ['#4493f8', '#1a7f37', '#bc4c00', '#8250df', '#cf222e', '#57606a'];

/** Panels beside each other with the same heights, all logarithmic: what is linear rises as the dotted lines do. */
export function plot(title: string, panels: readonly Panel[]): string {
  const ys = decades(
    panels.flatMap(({ curves }) => curves.flatMap(({ points }) => points.map(([, y]) => y))),
  );
  const width = LEFT + STEP * panels.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" font-family="ui-monospace, monospace" font-size="${FONT}">
<title>${title}</title>
<style>
.paper { fill: #ffffff } .grid { stroke: #d0d7de } text { fill: #1f2328 } .faint { fill: #656d76 } .linear { stroke: #8c959f; stroke-dasharray: 2 4 }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117 } .grid { stroke: #30363d } text { fill: #e6edf3 } .faint { fill: #8d96a0 }
}
${colours.map((colour, index) => `.c${index} { stroke: ${colour}; fill: none; stroke-width: 2 } text.c${index}, circle.c${index} { fill: ${colour}; stroke: none }`).join('\n')}
</style>
<rect class="paper" width="100%" height="100%" rx="6"/>
<text x="16" y="26" font-weight="bold">${title}</text>
${panels.map((panel, index) => drawPanel(panel, LEFT + index * STEP, ys, index === 0)).join('\n')}
</svg>
`;
}

/** Exponents of ten, from where to where an axis goes. */
type Axis = { from: number; to: number };

/** Whole powers of ten around all of them. */
const decades = (values: readonly number[]): Axis => ({
  from: Math.floor(Math.log10(Math.min(...values))),
  to: Math.ceil(Math.log10(Math.max(...values))),
});

function drawPanel({ title, curves }: Panel, left: number, ys: Axis, first: boolean): string {
  const bottom = TOP + PANEL.height;
  const ticks = [...new Set(curves.flatMap(({ points }) => points.map(([x]) => x)))];
  const xs = { from: Math.log10(Math.min(...ticks)), to: Math.log10(Math.max(...ticks)) };
  const xOf = (x: number): number => left + ((Math.log10(x) - xs.from) / (xs.to - xs.from)) * PANEL.width;
  const yOf = (y: number): number => bottom - ((Math.log10(y) - ys.from) / (ys.to - ys.from)) * PANEL.height;
  const vertical = ticks.map(
    (x) =>
      `<path class="grid" d="M${pixels(xOf(x))} ${TOP}V${bottom}"/><text class="faint" x="${pixels(xOf(x))}" y="${bottom + 16}" text-anchor="middle">${x.toLocaleString('en')}</text>`,
  );
  const horizontal = powers(ys).map((y) => {
    const number = `<text class="faint" x="${left - 6}" y="${pixels(yOf(y) + 4)}" text-anchor="end">${y.toLocaleString('en')}</text>`;
    return `<path class="grid" d="M${left} ${pixels(yOf(y))}h${PANEL.width}"/>${first ? number : ''}`;
  });
  // From each of the heights on, as far as either axis goes.
  const linear = powers({ from: ys.from, to: ys.to - 1 }).map((y) => {
    const span = Math.min(xs.to - xs.from, ys.to - Math.log10(y));
    return `<path class="linear" d="M${left} ${pixels(yOf(y))}L${pixels(xOf(10 ** (xs.from + span)))} ${pixels(yOf(y * 10 ** span))}"/>`;
  });
  const labels = apart(curves.map(({ points }) => yOf(points.at(-1)?.[1] ?? 1)));
  return [
    `<text x="${left + PANEL.width / 2}" y="${TOP - 12}" text-anchor="middle">${title}</text>`,
    ...vertical,
    ...horizontal,
    ...linear,
    ...curves.map((curve, index) => drawCurve(curve, index, labels[index] ?? 0)),
  ].join('\n');

  function drawCurve({ name, points }: Curve, index: number, label: number): string {
    const at = points.map(([x, y]) => `${pixels(xOf(x))} ${pixels(yOf(y))}`);
    const dots = points.map(
      ([x, y]) =>
        `<circle class="c${index}" cx="${pixels(xOf(x))}" cy="${pixels(yOf(y))}" r="3"><title>${name}: ${x.toLocaleString('en')}: ${y.toFixed(1)} ms</title></circle>`,
    );
    const end = left + PANEL.width + 8;
    return `<path class="c${index}" d="M${at.join('L')}"/>${dots.join('')}<text class="c${index}" x="${end}" y="${pixels(label + 4)}">${name}</text>`;
  }
}

const powers = ({ from, to }: Axis): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));

/** Moved down where labels would be on top of each other. */
function apart(heights: readonly number[]): number[] {
  const order = heights.map((_, index) => index).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  const placed: number[] = [];
  let lowest = Number.NEGATIVE_INFINITY;
  for (const index of order) {
    lowest = Math.max(heights[index] ?? 0, lowest + FONT + 2);
    placed[index] = lowest;
  }
  return placed;
}

const pixels = (value: number): string => String(Math.round(value * 10) / 10);
