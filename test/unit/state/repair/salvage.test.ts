import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import type { Row } from '../../../../src/state/reconcile/rows.ts';
import { salvage } from '../../../../src/state/repair/salvage.ts';
import { nixSchema } from '../../../harness/nixSchema.ts';

const ROWS = 1000;
const PAGE = 4096;
const path = (row: number): string => `/nix/store/${String(row).padStart(32, '0')}-row`;

/** Made once, copied for each damage. */
const models = mkdtempSync(`${tmpdir()}/nix-cache-init-salvage-`);
after(() => rmSync(models, { recursive: true }));
makeDatabase(`${models}/like.sqlite`, 1);
makeDatabase(`${models}/whole.sqlite`, ROWS, `${models}/logged`);
const { size } = statSync(`${models}/whole.sqlite`);

/** What is salvaged of a database to which something was done, by path; and the whole one. */
function salvaged(damage: (file: string) => void, log = false): { found: Map<string, Row>; lost: number } {
  const work = mkdtempSync(`${tmpdir()}/nix-cache-init-salvage-`);
  try {
    const [file, like] = [`${work}/db.sqlite`, `${work}/like.sqlite`];
    copyFileSync(`${models}/like.sqlite`, like);
    if (log) for (const suffix of ['', '-wal']) copyFileSync(`${models}/logged/db${suffix}`, file + suffix);
    else copyFileSync(`${models}/whole.sqlite`, file);
    damage(file);
    mkdirSync(`${work}/copy`);
    const found = new Map(salvage(file, like, `${work}/copy/db.sqlite`).map((row) => [row.path, row]));
    return { found, lost: ROWS - found.size };
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Each row refers to itself and the two before it, every tenth has an output. */
function makeDatabase(file: string, rows: number, whileOpen?: string): void {
  const database = new DatabaseSync(file);
  database.exec(`pragma journal_mode = wal; pragma wal_autocheckpoint = 0; ${nixSchema}`);
  const insert = database.prepare('insert into ValidPaths (path, hash, registrationTime) values (?, ?, ?)');
  const refer = database.prepare('insert into Refs values (?, ?)');
  const give = database.prepare('insert into DerivationOutputs values (?, ?, ?)');
  database.exec('begin');
  for (let row = 1; row <= rows; row += 1) {
    insert.run(path(row), `sha256:${String(row).padStart(64, '0')}`, row);
    for (const reference of [row, row - 1, row - 2]) if (reference > 0) refer.run(row, reference);
    if (row % 10 === 0) give.run(row, 'out', path(row - 1));
  }
  database.exec('commit');
  if (whileOpen !== undefined) {
    mkdirSync(whileOpen);
    for (const suffix of ['', '-wal']) copyFileSync(file + suffix, `${whileOpen}/db${suffix}`);
  }
  database.close();
}

/** Nothing that is salvaged may be other than it was. */
function assertTrue(found: ReadonlyMap<string, Row>): void {
  for (const [where, { hash, registrationTime, references, outputs }] of found) {
    const row = Number(registrationTime);
    assert.equal(where, path(row));
    assert.equal(hash, `sha256:${String(row).padStart(64, '0')}`);
    const expected = [row, row - 1, row - 2].filter((reference) => reference > 0).map(path);
    assert.deepEqual(references.toSorted(), expected.toSorted());
    assert.deepEqual(outputs, row % 10 === 0 ? [['out', path(row - 1)]] : []);
  }
}

const overwrite = (file: string, from: number, bytes: Buffer): void => {
  const contents = readFileSync(file);
  bytes.copy(contents, from);
  writeFileSync(file, contents);
};

test('of a whole database everything is read, the log included', () => {
  for (const log of [false, true]) {
    const { found, lost } = salvaged(() => {}, log);
    assert.equal(lost, 0);
    assertTrue(found);
  }
});

test('a header or first page of zeros costs nothing', () => {
  for (const bytes of [100, PAGE]) {
    const { found, lost } = salvaged((file) => overwrite(file, 0, Buffer.alloc(bytes)));
    assert.equal(lost, 0, `${bytes}`);
    assertTrue(found);
  }
});

test('a page of zeros anywhere costs what was on it, and nothing comes out other than it was', () => {
  const pages = Math.floor(size / PAGE);
  const losses: number[] = [];
  for (let page = 1; page < pages; page += 3) {
    const { found, lost } = salvaged((file) => overwrite(file, page * PAGE, Buffer.alloc(PAGE)));
    assertTrue(found);
    losses.push(lost);
  }
  assert.ok(losses.length > 20, `${losses.length}`);
  // Most pages are leaves: of rows, some dozens of them; of references, in two places.
  const small = losses.filter((lost) => lost < ROWS / 10);
  assert.ok(small.length > losses.length * 0.8, losses.join(' '));
});

test('a file cut short anywhere gives no row that it had not', () => {
  for (let part = 1; part < 10; part += 1) {
    const { found } = salvaged((file) => truncateSync(file, Math.floor((size * part) / 10)));
    assertTrue(found);
  }
});

test('the end of a page of zeros, as a cut leaves it, is noticed wherever it is', () => {
  for (let page = 2; page < size / PAGE; page += 3) {
    const { found } = salvaged((file) => overwrite(file, page * PAGE + PAGE / 2, Buffer.alloc(PAGE / 2)));
    assertTrue(found);
  }
});

test('of a file that was never a database nothing is read', () => {
  const { found } = salvaged((file) => writeFileSync(file, 'not a database'));
  assert.equal(found.size, 0);
  assert.equal(salvaged((file) => truncateSync(file)).found.size, 0);
});
