import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Machine } from './namespaceMachine.ts';
import { readDatabase } from './nixDatabase.ts';
import { nixSchema } from './nixSchema.ts';
import { installCommands } from './packages.ts';
import { runOk } from './run.ts';

/** The overlay strategy without a daemon: these machines have no Nix. */
export const overlay = (...command: string[]): string[] => [
  ...['--strategy', 'overlay', '--on-unsupported', 'fail', '--daemon-enabled', 'no', '--'],
  ...command,
];

const packages = ['hello', 'libc', 'shell'];

export const storePath = (name: string): string =>
  `/nix/store/${name.padEnd(32, '0').replaceAll(/[eotu]/g, 'x')}-${name}`;

/**
 * An image's store and state directory as Nix leaves them, with what a careless copy would lose: rows that are only in
 * the write-ahead log, owners, odd modes, nanoseconds, extended attributes, hard links, dangling links.
 */
export async function fillImage(machine: Machine, { rows = 300 } = {}): Promise<void> {
  for (const name of packages) {
    const path = machine.path(storePath(name));
    mkdirSync(join(path, 'bin'), { recursive: true });
    writeFileSync(join(path, 'bin', name), `#!/bin/sh\necho ${name} of the image\n`);
  }
  for (let row = 0; row < rows; row += 1) writeFileSync(machine.path(rowPath(row)), '');
  const state = machine.path('/nix/var/nix');
  mkdirSync(join(state, 'db'), { recursive: true });
  writeDatabase(join(state, 'db'), rows);
  await installCommands({ setfattr: 'attr' });
  await runOk('sh', ['-euc', decorate, 'sh', state, storePath('hello')]);
}

const rowPath = (row: number): string => `/nix/store/${String(row).padStart(32, '0')}-row`;

/** The database's own file holds the first half of the rows, its log the rest. */
function writeDatabase(directory: string, rows: number): void {
  const work = mkdtempSync(join(tmpdir(), 'nix-cache-init-db-'));
  try {
    const path = join(work, 'db.sqlite');
    using database = new DatabaseSync(path);
    database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0');
    database.exec(nixSchema);
    const insert = database.prepare(
      'insert into ValidPaths (path, hash, registrationTime) values (?, ?, 1700000000)',
    );
    // A transaction of its own for each row would be a flush for each.
    database.exec('begin');
    for (const name of packages) insert.run(storePath(name), `sha256:${'0'.repeat(64)}`);
    for (let row = 0; row < rows; row += 1) {
      if (row === Math.floor(rows / 2)) database.exec('commit; pragma wal_checkpoint(truncate); begin');
      insert.run(rowPath(row), `sha256:${'1'.repeat(64)}`);
    }
    database.exec('commit');
    // While it is open: closing it would write the log back.
    for (const suffix of ['', '-wal', '-shm'])
      copyFileSync(path + suffix, join(directory, `db.sqlite${suffix}`));
  } finally {
    rmSync(work, { recursive: true });
  }
}

const decorate = `
cd "$1"
touch gc.lock db/big-lock db/reserved
echo 10 >db/schema
mkdir -p profiles/per-user/root gcroots/auto gcroots/per-user temproots userpool builds daemon-socket gc-socket
ln -s default-1-link profiles/default
ln -s "$2" profiles/default-1-link
ln -s /no/such/result gcroots/auto/0123456789
ln -s /nix/var/nix/profiles gcroots/profiles
echo junk >temproots/4711
echo junk >builds/left-over
touch userpool/30001
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $_, Listen => 1) or die $! for @ARGV' \
  daemon-socket/socket gc-socket/socket profiles/odd-socket
mkfifo profiles/odd-pipe
touch 'profiles/two words' 'profiles/-dash'
echo twin >profiles/twin-a
ln profiles/twin-a profiles/twin-b
echo suid >profiles/suid
chown 1234:5678 profiles/suid gcroots/per-user
chown -h 4321:8765 profiles/default
chmod 4751 profiles/suid
chmod 1777 gcroots/per-user
setfattr -n user.note -v kept profiles/suid
setfattr -n trusted.note -v kept profiles/per-user
touch -d '2001-02-03 04:05:06.123456789' profiles/suid profiles/per-user gcroots/auto
touch -h -d '2002-03-04 05:06:07.987654321' profiles/default
touch -d '1970-01-01 00:00:01' db/schema
`;

/** What of the state directory belongs to one boot, or to processes that are gone. */
export const perBoot = [
  ...['temproots', 'gc-socket', 'daemon-socket', 'userpool', 'builds', 'gc.lock'],
  ...['db/big-lock', 'db/db.sqlite-shm', 'profiles/odd-socket', 'profiles/odd-pipe'],
];

/** What the reconcile makes its own: the database, whose rows are to be compared instead, and roots of the image. */
export const reconciled = ['db/db.sqlite', 'db/db.sqlite-wal', 'gcroots/image'];

/** A tree without the directories whose times change with what is made in them at a boot. */
export function withoutBusy({ '': _, db: __, gcroots: ___, ...tree }: Record<string, string>) {
  return tree;
}

/** The paths that SQLite finds in a state directory, its log included. */
export function validPaths(stateDirectory: string): string[] {
  return readDatabase(stateDirectory, (database) =>
    database.prepare('select path from ValidPaths order by path').all(),
  ).map(({ path }) => String(path));
}
