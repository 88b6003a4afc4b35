import { mkdirSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { ImagePlaces } from '../../../../src/state/identity.ts';
import { combineDatabases } from '../../../../src/state/lowers/combine.ts';
import { makeDatabase, named, type Paths } from '../reconcile/ground.ts';

export type LayerSpec = {
  paths: Paths;
  /** Names that are only in the store, or only in the database. */
  strays?: string[];
  absent?: string[];
  /** Without a database. */
  bare?: boolean;
};

/** A store with its state beside it, as a lower is. */
export function makeLayer(base: string, name: string, { paths, strays = [], absent = [], bare }: LayerSpec) {
  const places: ImagePlaces = { storeDir: `${base}/${name}/store`, stateDir: `${base}/${name}/var/nix` };
  const names = [...Object.keys(paths).filter((path) => !absent.includes(path)), ...strays];
  mkdirSync(places.storeDir, { recursive: true });
  for (const path of names) {
    mkdirSync(`${places.storeDir}/${named(path)}`);
    writeFileSync(`${places.storeDir}/${named(path)}/file`, name);
  }
  if (!bare) makeDatabase(places.stateDir, paths);
  return { ...places, names: names.map(named) };
}

export type Row = { name: string; hash: string; refs: string[] };

/** What a combined database says, by the names of paths. */
export async function combined(base: string, image: LayerSpec, lowers: LayerSpec[]): Promise<Row[]> {
  const to = `${base}/combined`;
  const made = lowers.map((spec, index) => makeLayer(base, `lower-${index}`, spec));
  await combineDatabases({
    image: makeLayer(base, 'image', image),
    lowers: made,
    names: made.map(({ names }) => names),
    storeDir: '/nix/store',
    to,
    breathe: async () => {},
  });
  return readRows(to);
}

export function readRows(stateDir: string): Row[] {
  using database = new DatabaseSync(`${stateDir}/db/db.sqlite`, { readOnly: true });
  const short = (path: unknown): string => String(path).replace(/^.*0-/, '');
  const refs = database.prepare(`select p.path from Refs r join ValidPaths p on p.id = r.reference
    where r.referrer = ? order by p.path`);
  const rows = database.prepare('select id, path, hash from ValidPaths order by path').all();
  return rows.map(({ id = null, path, hash }) => ({
    name: short(path),
    hash: String(hash),
    refs: refs.all(id).map((ref) => short(ref['path'])),
  }));
}
