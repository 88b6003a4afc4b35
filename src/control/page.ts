import { formatSize } from '../config/units.ts';
import { renderBar } from '../store/progress.ts';
import type { Report } from './report.ts';

const MOST_WARNINGS = 5;

/** A report for people. */
export function formatPage(report: Report, now: Date): string {
  const { version, pid, state, since, strategy, access, layers, command, services, reaped } = report;
  const age = (time: string): string => formatAge(now.getTime() - Date.parse(time));
  const rows: [string, ...string[]][] = [
    [
      'strategy',
      `${strategy.name}${strategy.asked === strategy.name ? '' : ` (${strategy.asked})`}`,
      ...strategy.passedOver,
    ],
    ['access', access],
    ...(layers === null
      ? []
      : [
          ['layers', layers.upper, ...layers.lowers.map((lower) => `over ${lower}`)] as [string, ...string[]],
        ]),
    ...image(report),
    ...volume(report),
    ...cache(report, age),
    ['command', command === null ? 'none' : `${command.name}, PID ${command.pid}`],
    ['services', ...(services.length === 0 ? ['none'] : services.map(service))],
    ['reaped', `${reaped} processes`],
    ...warnings(report),
  ];
  const head = `nix-cache-init ${version}, PID ${pid}, ${state} for ${age(since)}\n`;
  return head + rows.map(([name, ...lines]) => formatRow(name, lines)).join('');

  function service({ name, state, pid, since, restarts }: Report['services'][number]): string {
    const process = pid === null ? '' : `, PID ${pid}`;
    const time = since === null || state !== 'running' ? '' : `, for ${age(since)}`;
    return `${name}: ${state}${process}${time}, ${restarts} restarts`;
  }
}

const WIDTH = 10;

const formatRow = (name: string, lines: readonly string[]): string =>
  lines.map((line, index) => `${(index === 0 ? name : '').padEnd(WIDTH)}${line}\n`).join('');

function image({ image, reconciled }: Report): [string, ...string[]][] {
  if (image?.identity == null) return [];
  const nix = image.nix === null ? '' : `, Nix ${image.nix}`;
  const schema = image.schema === null ? '' : `, schema ${image.schema}`;
  const done =
    reconciled === null
      ? 'as at the last boot'
      : `brought in step: ${reconciled.learnt} paths learnt, ${reconciled.forgotten} forgotten, ${reconciled.superseded} superseded`;
  return [['image', `${image.identity.replace('sha256-', '').slice(0, 12)}${nix}${schema}`, done]];
}

function volume({ volume, places }: Report): [string, ...string[]][] {
  if (volume === null) return [['volume', `none at ${places.cacheDir}`]];
  const { total, free, inodes, holder } = volume;
  const lines = [
    places.cacheDir,
    `${renderBar(total - free, total)}  ${formatSize(free)} of ${formatSize(total)} free`,
    ...(inodes === null
      ? []
      : [
          `${renderBar(inodes.total - inodes.free, inodes.total)}  ${inodes.free} of ${inodes.total} inodes free`,
        ]),
    ...(holder === null ? [] : [`locked by ${holder}`]),
  ] as const;
  return [['volume', ...lines]];
}

function cache({ cache }: Report, age: (time: string) => string): [string, ...string[]][] {
  if (cache === null) return [];
  const { bytes, paths, sharedWithImage, collected } = cache;
  const size = `${formatSize(bytes)} in ${paths} paths; ${sharedWithImage} more are the image's`;
  const freed =
    collected === null ? [] : [`collected ${age(collected.at)} ago, ${formatSize(collected.freed)} freed`];
  return [['cache', size, ...freed]];
}

function warnings({ warnings: all }: Report): [string, ...string[]][] {
  const last = all.slice(-MOST_WARNINGS).map(({ time, message }) => `${time} ${message}`);
  if (last.length === 0) return [];
  const more = all.length - last.length;
  return [['warnings', ...(more > 0 ? [`${more} before these`] : []), ...last] as [string, ...string[]]];
}

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** The two greatest units of a time, such as `2 h 5 min`; below a minute the seconds. */
export function formatAge(ms: number): string {
  let seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const parts: string[] = [];
  for (const [unit, length] of units) {
    const whole = Math.floor(seconds / length);
    seconds -= whole * length;
    if (whole > 0 || parts.length > 0) parts.push(`${whole} ${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
