import assert from 'node:assert/strict';
import { checkSchema } from '../../src/commands/schemas/check.ts';
import type { Report } from '../../src/state/check/check.ts';
import type { RepairReport } from '../../src/state/repair/repair.ts';
import type { Outcome } from './run.ts';

/** What `--json` says, which is as its schema has it, with the exit code that has to go with it. */
export function reportOf<R extends Report = Report>({ exitCode, stdout, stderr }: Outcome): R {
  assert.ok(exitCode <= 1, `exit ${exitCode}: ${stderr}`);
  const report = JSON.parse(stdout) as R;
  assert.deepEqual(checkSchema.parse(report), report);
  assert.equal(exitCode, report.findings.length > 0 ? 1 : 0, stdout);
  return report;
}

export const repairOf = (outcome: Outcome): RepairReport => reportOf<RepairReport>(outcome);

/** The findings as `kind path`. */
export const found = ({ findings }: Report): string[] => findings.map(({ kind, path }) => `${kind} ${path}`);
