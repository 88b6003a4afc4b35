import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Container } from './container.ts';
import { docker, dockerOk, uniqueName } from './docker.ts';
import { makeWorkspace } from './workspace.ts';

/** All that Nix's database says of a path, whatever its row's number. */
export type Row = Record<string, unknown>;

/** The rows of a volume in use, by path. Nothing may write to it meanwhile. */
export function volumeRows(container: Container): Promise<Record<string, Row>> {
  return copiedRows(container.name, '/nix-cache/var/nix/db');
}

/** The rows that an image came with. */
export async function imageRows(image: string): Promise<Record<string, Row>> {
  const name = uniqueName('rows');
  await dockerOk('create', '--name', name, '--network', 'none', image);
  try {
    return await copiedRows(name, '/nix/var/nix/db');
  } finally {
    await docker('rm', '-f', '-v', name);
  }
}

async function copiedRows(container: string, directory: string): Promise<Record<string, Row>> {
  await using workspace = await makeWorkspace();
  const copy = join(workspace.path, 'db');
  await dockerOk('cp', `${container}:${directory}`, copy);
  // SQLite makes it again from the log.
  await rm(join(copy, 'db.sqlite-shm'), { force: true });
  return readRows(join(copy, 'db.sqlite'));
}

/** The rows of a database that is nobody else's. */
export function readRows(file: string): Record<string, Row> {
  using database = new DatabaseSync(file);
  const list = (query: string, id: unknown): string[] =>
    database
      .prepare(query)
      .all(Number(id))
      .map((row) => Object.values(row).join(' '));
  const rows = database.prepare('SELECT * FROM ValidPaths ORDER BY path').all();
  return Object.fromEntries(
    rows.map(({ id, path, ...columns }) => {
      const refs = list(
        'SELECT p.path FROM Refs JOIN ValidPaths p ON p.id = reference WHERE referrer = ? ORDER BY 1',
        id,
      );
      const outputs = list('SELECT id, path FROM DerivationOutputs WHERE drv = ? ORDER BY 1', id);
      return [String(path), { ...columns, refs, outputs }];
    }),
  );
}
