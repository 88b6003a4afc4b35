import type { PushReport } from '../push/report.ts';

/** A report for people: what is not there, and for each cache a line that counts. */
export const formatPushReport = ({ caches }: PushReport): string =>
  caches
    .flatMap(({ to, there, missing, why }) => [
      ...missing.map((path) => `missing  ${path}`),
      summary(to, there.length, missing.length, why),
    ])
    .map((line) => `${line}\n`)
    .join('');

function summary(to: string, there: number, missing: number, why?: string): string {
  if (there + missing === 0) return `${to}: nothing new`;
  const count = `${to}: ${there} of ${there + missing} ${there + missing === 1 ? 'path' : 'paths'} there`;
  return why === undefined ? count : `${count}: ${why}`;
}
