import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { readIfThere } from '../../linux/read.ts';
import { replaceFile } from '../../linux/replace.ts';
import type { Row } from './rows.ts';

/**
 * A row that the database no longer has, or has otherwise, while its path is still in the upper directory as it was; or, with
 * looks of nothing, one of a path that a lower layer had.
 */
type Remembered = { row: Row; looks: string };

/**
 * How the copy of a path in the upper directory looks: its inode and when that was changed. Nothing that Nix does to a path
 * leaves these as they are: deleting begins by making its directory writable, repairing replaces it.
 */
function looksOf(upper: string, path: string): string | undefined {
  const stat = lstatSync(`${upper}/${basename(path)}`, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.ino}-${stat.ctimeNs}`;
}

/**
 * Writes down the rows whose paths are in the upper directory, durably, in the place of all that was remembered before.
 * @param away rows of paths that are in no layer now.
 */
export function remember(file: string, upper: string, rows: readonly Row[], away: readonly Row[] = []): void {
  const remembered = rows.flatMap((row): Remembered[] => {
    const looks = looksOf(upper, row.path);
    return looks === undefined ? [] : [{ row, looks }];
  });
  for (const row of away) if (looksOf(upper, row.path) === undefined) remembered.push({ row, looks: '' });
  const text = JSON.stringify(remembered);
  if (text !== (readIfThere(file) ?? '[]')) replaceFile(file, text);
}

/**
 * The rows that an earlier reconcile, finished or not, took out of the database and whose paths nobody has touched since. A
 * file that cannot be read costs no more than a few builds, so it never keeps a boot from going on.
 */
export function recall(file: string, upper: string): Row[] {
  const untouched = ({ row, looks }: Remembered): boolean => (looksOf(upper, row.path) ?? '') === looks;
  return parse(readIfThere(file) ?? '[]')
    .filter(untouched)
    .map(({ row }) => row);
}

function parse(text: string): Remembered[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isRemembered) : [];
  } catch {
    // Cut off by a power failure, as a file may be that was never flushed.
    return [];
  }
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null || !('row' in value) || !('looks' in value)) return false;
  const { row, looks } = value;
  return (
    typeof looks === 'string' &&
    typeof row === 'object' &&
    row !== null &&
    'path' in row &&
    'references' in row &&
    'outputs' in row
  );
}
