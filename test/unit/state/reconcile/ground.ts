import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setXattr } from '../../../../src/linux/xattrs.ts';
import {
  type Reconciled,
  type ReconcileRequest,
  reconcile,
} from '../../../../src/state/reconcile/reconcile.ts';
import { volumeLayout } from '../../../../src/volume/layout.ts';
import { nixSchema } from '../../../harness/nixSchema.ts';

/** A path of the fixture: `a`, what it refers to, and what of its row can differ. */
export type Path = {
  refs?: string[];
  hash?: string;
  sigs?: string;
  deriver?: string;
  time?: number;
  /** Of a derivation: its output. */
  out?: string;
};
export type Paths = Record<string, Path>;

/** `a` as a store path's name: 32 characters of Nix's alphabet. */
export const named = (name: string): string => `${name.padEnd(32, '0').replaceAll(/[eotu]/g, 'x')}-${name}`;
const pathOf = (name: string): string => `/nix/store/${named(name)}`;

/** A volume and images, as directories; real SQLite, no mounts. */
export class Ground {
  readonly base: string;
  readonly volume;

  constructor(base: string) {
    this.base = base;
    this.volume = volumeLayout(`${base}/volume`);
    mkdirSync(this.volume.own, { recursive: true });
    mkdirSync(this.volume.upper);
  }

  image(name: string): { storeDir: string; stateDir: string } {
    return { storeDir: `${this.base}/${name}/store`, stateDir: `${this.base}/${name}/state` };
  }

  /** Makes an image of whole paths; with `absent` the database has rows for more than the store has. */
  makeImage(name: string, paths: Paths, { absent = [] as string[] } = {}): void {
    const { storeDir, stateDir } = this.image(name);
    rmSync(`${this.base}/${name}`, { recursive: true, force: true });
    mkdirSync(storeDir, { recursive: true });
    for (const path of Object.keys(paths)) if (!absent.includes(path)) makePath(storeDir, path, name);
    makeDatabase(stateDir, paths);
  }

  /** What Nix does when it has built paths: a directory in the upper layer, and rows. */
  build(paths: Paths): void {
    for (const name of Object.keys(paths)) makePath(this.volume.upper, name, 'built');
    using database = new DatabaseSync(`${this.volume.state}/db/db.sqlite`);
    addPaths(database, paths);
  }

  /** Puts what overlayfs leaves of a path in the upper directory when it copies it up. */
  copyUp(name: string, kind: 'directory' | 'file' | 'linked file'): void {
    const path = `${this.volume.upper}/${named(name)}`;
    rmSync(path, { recursive: true, force: true });
    if (kind === 'directory') mkdirSync(path);
    else writeFileSync(path, 'copied up');
    if (kind === 'linked file') linkSync(path, `${this.volume.root}/link`);
    setXattr(path, 'user.overlay.origin', '');
  }

  async boot(image: string, changes: Partial<ReconcileRequest> = {}): Promise<Reconciled | undefined> {
    if (!existsSync(this.volume.state)) makeDatabase(this.volume.state, {});
    return await reconcile({
      image: this.image(image),
      storeDir: '/nix/store',
      nixStateDir: '/nix/var/nix',
      stateDir: this.volume.state,
      upper: this.volume.upper,
      files: this.volume,
      strategy: 'overlay',
      xattrs: 'user',
      nixVersion: () => '2.34.0',
      breathe: async () => {},
      ...changes,
    });
  }

  /** The names of the valid paths, sorted. */
  valid(): string[] {
    return this.rows('select path from ValidPaths order by path').map(({ path }) => short(String(path)));
  }

  rows(sql: string): Record<string, unknown>[] {
    using database = new DatabaseSync(`${this.volume.state}/db/db.sqlite`);
    return database.prepare(sql).all();
  }

  row(name: string): Record<string, unknown> {
    const [row = {}] = this.rows(`select * from ValidPaths where path = '${pathOf(name)}'`);
    const refs = this.rows(`select p.path from Refs join ValidPaths p on p.id = reference
      where referrer = ${String(row['id'] ?? 0)} order by p.path`);
    const outs = this.rows(`select path from DerivationOutputs where drv = ${String(row['id'] ?? 0)}`);
    const shorts = (rows: Record<string, unknown>[]): string[] => rows.map(({ path }) => short(String(path)));
    return { ...row, refs: shorts(refs), outs: shorts(outs) };
  }

  upper(): string[] {
    return readdirSync(this.volume.upper).map(short).sort();
  }

  roots(): string[] {
    return readdirSync(`${this.volume.state}/gcroots/image`).map(short).sort();
  }
}

const short = (path: string): string => path.replace(/^.*0-/, '');

function makePath(directory: string, name: string, text: string): void {
  mkdirSync(`${directory}/${named(name)}`, { recursive: true });
  writeFileSync(`${directory}/${named(name)}/file`, text);
}

export function makeDatabase(stateDir: string, paths: Paths): void {
  mkdirSync(`${stateDir}/db`, { recursive: true });
  writeFileSync(`${stateDir}/db/schema`, '10');
  using database = new DatabaseSync(`${stateDir}/db/db.sqlite`);
  database.exec(`pragma journal_mode = wal; ${nixSchema}`);
  addPaths(database, paths);
}

function addPaths(database: DatabaseSync, paths: Paths): void {
  const insert = database.prepare(
    `insert into ValidPaths (path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca)
     values (?, ?, ?, ?, 96, 1, ?, null)`,
  );
  for (const [name, { hash = 'sha256:0', time = 1, deriver = null, sigs = null }] of Object.entries(paths))
    insert.run(pathOf(name), hash, time, deriver, sigs);
  const refer = database.prepare(`insert into Refs select a.id, b.id from ValidPaths a, ValidPaths b
    where a.path = ? and b.path = ?`);
  for (const [name, { refs = [] }] of Object.entries(paths))
    for (const ref of refs) refer.run(pathOf(name), pathOf(ref));
  const give = database.prepare(
    `insert into DerivationOutputs select id, 'out', ? from ValidPaths where path = ?`,
  );
  for (const [name, { out }] of Object.entries(paths))
    if (out !== undefined) give.run(pathOf(out), pathOf(name));
}
