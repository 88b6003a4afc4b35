import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Report } from '../../src/state/check/check.ts';
import type { RepairReport } from '../../src/state/repair/repair.ts';
import { bootInNamespace, type NamespaceBoot } from './namespaceBoot.ts';
import type { NixMachine } from './nixMachine.ts';
import type { Outcome } from './run.ts';

const program = '/opt/nix-cache-init/bin/nix-cache-init';

/** Runs the command where nothing is mounted: the volume beside the image. */
export function checkAlone(
  { machine }: NixMachine,
  flags: readonly string[] = [],
  options: Omit<NamespaceBoot, 'args' | 'program'> = {},
): Promise<Outcome> {
  return bootInNamespace(machine, { ...options, program: [program, 'check'], args: [...flags] });
}

/** Runs the command in a boot of its own, as its main command. */
export const checkBooted = (machine: NixMachine, flags: readonly string[] = []): Promise<Outcome> =>
  machine.boot([program, 'check', ...flags]);

/** What `--json` says, with the exit code that has to go with it. */
export function reportOf<R extends Report = Report>({ exitCode, stdout, stderr }: Outcome): R {
  assert.ok(exitCode <= 1, `exit ${exitCode}: ${stderr}`);
  const report = JSON.parse(stdout) as R;
  assert.equal(exitCode, report.findings.length > 0 ? 1 : 0, stdout);
  return report;
}

export const repairOf = (outcome: Outcome): RepairReport => reportOf<RepairReport>(outcome);

/** The findings as `kind path`. */
export const found = ({ findings }: Report): string[] => findings.map(({ kind, path }) => `${kind} ${path}`);

/** Changes the volume's database as nobody should. In a copy: SQLite cannot follow a path through /proc. */
export function tamper({ machine }: NixMachine, sql: string): void {
  const file = machine.path('/nix-cache/var/nix/db/db.sqlite');
  const work = mkdtempSync(join(tmpdir(), 'nix-cache-init-db-'));
  try {
    const copy = join(work, 'db.sqlite');
    for (const suffix of ['', '-wal'])
      if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
    const database = new DatabaseSync(copy, { enableForeignKeyConstraints: false });
    database.exec(sql);
    database.close();
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
    copyFileSync(copy, file);
  } finally {
    rmSync(work, { recursive: true });
  }
}
