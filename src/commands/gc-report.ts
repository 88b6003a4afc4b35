import { formatSize } from '../config/units.ts';
import type { GcReport } from '../gc/report.ts';

/** A collection for people: what went, what that came to, and what holds the rest. */
export function formatGcReport(report: GcReport): string {
  const { looked, dryRun, deleted, kept, freed, before, after, maxSize, under, holders, lastUseFrom } =
    report;
  const rows = deleted.map(({ path, bytes, lastUse }) => `${size(bytes)}  ${lastUse.slice(0, 10)}  ${path}`);
  const count = `${deleted.length} ${deleted.length === 1 ? 'path' : 'paths'}`;
  const done = dryRun
    ? `would delete ${count} and free ${formatSize(freed)}`
    : `deleted ${count}, ${formatSize(freed)} freed`;
  const wanted = maxSize === null ? '' : under ? '' : `, more than ${formatSize(maxSize)}`;
  const lines = [
    `${dryRun ? 'looked at' : 'collected'} ${looked}`,
    ...rows,
    ...kept.map((path) => `kept: ${path}  (in use since)`),
    `${done}; ${formatSize(before.bytes)} in ${before.paths} paths before, ${formatSize(after.bytes)} in ${after.paths} after${wanted}`,
    ...(deleted.length > 0 ? [`last use told by ${lastUseFrom}`] : []),
    ...(holders.length > 0
      ? ['held by:', ...holders.map(({ bytes, root }) => `${size(bytes)}  ${root}`)]
      : []),
  ];
  return `${lines.join('\n')}\n`;
}

const size = (bytes: number): string => formatSize(bytes).padStart(11);
