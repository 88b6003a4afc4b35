import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { settleDatabase } from '../../../../src/state/snapshot/database.ts';
import { temporaryDirectory } from '../../fixtures.ts';

/** Three of the pieces in which it is copied. */
const SIZE = 10_000_000;
const ROWS = 12;

type Mode = 'wal' | 'truncate';

/** What Nix's processes do to their database: every transaction leaves all rows with one number, the next. */
class Writer {
  readonly #path: string;
  readonly #mode: Mode;
  #database: DatabaseSync | undefined;
  committed = 0;

  constructor(path: string, mode: Mode) {
    this.#path = path;
    this.#mode = mode;
  }

  get database(): DatabaseSync {
    this.#database ??= this.#open();
    return this.#database;
  }

  #open(): DatabaseSync {
    const database = new DatabaseSync(this.#path);
    database.exec(`pragma journal_mode = ${this.#mode}; pragma synchronous = off; pragma cache_size = 2`);
    return database;
  }

  commit(): void {
    this.database.exec(`update T set number = ${this.committed + 1}`);
    this.committed += 1;
  }

  checkpoint(kind: string): void {
    this.database.exec(`pragma wal_checkpoint(${kind})`);
  }

  /** Writes the log back, and removes it. */
  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }
}

type Change = (writer: Writer, time: number) => void;

const changes: [string, Mode, Change][] = [
  ['a commit to the log', 'wal', (writer) => writer.commit()],
  [
    'a commit by a process that ends',
    'wal',
    (writer) => {
      writer.commit();
      writer.close();
    },
  ],
  [
    'a checkpoint, after which the log begins anew',
    'wal',
    (writer) => {
      writer.commit();
      writer.checkpoint('restart');
      writer.commit();
    },
  ],
  [
    'a log that is cut off',
    'wal',
    (writer) => {
      writer.commit();
      writer.checkpoint('truncate');
    },
  ],
  ['a commit in place', 'truncate', (writer) => writer.commit()],
  [
    'a transaction in place that takes its time',
    'truncate',
    (writer, time) => {
      if (time % 2 === 0) writer.database.exec(`begin; update T set number = ${writer.committed + 1}`);
      else {
        writer.database.exec('commit');
        writer.committed += 1;
      }
    },
  ],
  [
    'a transaction in place that is taken back',
    'truncate',
    (writer, time) => {
      if (time % 2 === 0) writer.database.exec(`begin; update T set number = -1`);
      else writer.database.exec('rollback');
    },
  ],
];

/** How many there are when nothing changes: before the first piece, and after each. */
const OCCASIONS = 4;

for (const [name, mode, change] of changes) {
  test(`whenever there is ${name}, the copy is of one instant, and not of one before it was begun`, async () => {
    using directory = temporaryDirectory();
    const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
    for (const place of [from, to]) mkdirSync(`${place}/db`, { recursive: true });
    makeRows(`${from}/db/db.sqlite`);
    const writer = new Writer(`${from}/db/db.sqlite`, mode);
    for (let first = 0; first < OCCASIONS; first += 1) {
      for (const often of [1, 2, 5]) {
        const committed = writer.committed;
        cpSync(`${from}/db`, `${to}/db`, { recursive: true });
        let occasion = 0;
        let time = 0;
        const breathe = async (): Promise<void> => {
          if (occasion >= first && time < often) {
            change(writer, time);
            time += 1;
          }
          occasion += 1;
        };
        await settleDatabase(from, to, breathe);
        const number = oneNumber(`${to}/db/db.sqlite`);
        assert.ok(number >= committed && number <= writer.committed, `${committed} ${number}`);
        if (time % 2 === 1) change(writer, time);
      }
    }
    writer.close();
  });
}

test('a copy that is longer, or of a database without a log that it had, is put right', async () => {
  using directory = temporaryDirectory();
  const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
  for (const place of [from, to]) mkdirSync(`${place}/db`, { recursive: true });
  makeRows(`${from}/db/db.sqlite`);
  writeFileSync(`${to}/db/db.sqlite`, Buffer.alloc(SIZE * 2));
  writeFileSync(`${to}/db/db.sqlite-wal`, 'of another time');
  await settleDatabase(from, to, async () => {});
  const read = (place: string): Buffer => readFileSync(`${place}/db/db.sqlite`);
  assert.ok(read(from).equals(read(to)));
  assert.throws(() => readFileSync(`${to}/db/db.sqlite-wal`), { code: 'ENOENT' });
});

/** Few rows, each on a page of its own and far from the next: a transaction goes from the beginning of the file to its end. */
function makeRows(path: string): void {
  using database = new DatabaseSync(path);
  database.exec('create table T (number integer not null, filler blob); create table Filler (filler blob)');
  for (let row = 0; row < ROWS; row += 1) {
    database.exec('insert into T values (0, zeroblob(3000))');
    database.exec(`insert into Filler values (zeroblob(${SIZE / ROWS}))`);
  }
}

function oneNumber(path: string): number {
  using database = new DatabaseSync(path);
  assert.equal(database.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok');
  const { least, most } =
    database.prepare('select min(number) as least, max(number) as most from T').get() ?? {};
  assert.equal(least, most);
  return Number(least);
}
