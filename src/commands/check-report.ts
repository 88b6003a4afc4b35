import type { Report } from '../state/check/check.ts';
import { kinds } from '../state/check/findings.ts';
import type { Repaired, RepairReport } from '../state/repair/repair.ts';

/** Wide enough for the longest kind. */
const COLUMN = 14;

/** A report for people: what was looked at, what was done, what is wrong, and a line that counts. */
export function formatReport(report: Report | RepairReport): string {
  const done = 'repaired' in report ? deeds(report.repaired) : [];
  const wrong = report.findings.map(({ kind, path, detail }) => `${row(kind, path)}  (${detail})`);
  const lines = [
    `checked ${report.looked}`,
    ...done,
    ...wrong,
    ...report.notes.map((note) => `note: ${note}`),
  ];
  return `${[...lines, summary(report)].join('\n')}\n`;
}

const row = (word: string, path: string): string => `${word.padEnd(COLUMN)}${path}`;

function deeds({ rescued, swept, fetched, registered, invalidated }: Repaired): string[] {
  return [
    ...(rescued === undefined
      ? []
      : [
          row('moved aside', rescued.aside),
          ...rescued.registered.map((path) => row('saved', path)),
          ...rescued.lost.map((path) => row('lost', path)),
        ]),
    ...swept.map((path) => row('swept', path)),
    ...fetched.map((path) => row('fetched', path)),
    ...registered.map((path) => row('registered', path)),
    ...invalidated.map((path) => row('invalidated', path)),
  ];
}

function summary({ valid, findings, garbage, waiting, ...more }: Report | RepairReport): string {
  const counted = kinds.flatMap((kind) =>
    count(
      findings.filter((finding) => finding.kind === kind),
      kind,
    ),
  );
  const parts = [`${valid} valid paths: ${counted.length > 0 ? counted.join(', ') : 'nothing wrong'}`];
  const rest = [...count(garbage, 'garbage'), ...count(waiting, 'waiting')];
  if (rest.length > 0) parts.push(rest.join(', '));
  if ('repaired' in more) parts.push(repairSummary(more.repaired));
  return parts.join('; ');
}

function repairSummary({ rescued, swept, fetched, registered, invalidated }: Repaired): string {
  const counted = [
    ...count(rescued?.registered ?? [], 'saved'),
    ...count(rescued?.lost ?? [], 'lost'),
    ...count(swept, 'swept'),
    ...count(fetched, 'fetched'),
    ...count(registered, 'registered'),
    ...count(invalidated, 'invalidated'),
  ];
  return counted.length > 0 ? `repaired: ${counted.join(', ')}` : 'nothing repaired';
}

const count = (list: readonly unknown[], word: string): string[] =>
  list.length === 0 ? [] : [`${list.length} ${word}`];
