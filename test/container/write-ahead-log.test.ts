import assert from 'node:assert/strict';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker, dockerOk, uniqueName } from '../harness/docker.ts';
import { nixImage } from '../harness/images.ts';
import { assertStoreIsSound } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';
import { makeWorkspace } from '../harness/workspace.ts';

const database = '/nix/var/nix/db';

containerTest('rows that the image has only in its write-ahead log are in the volume', async () => {
  const tag = `nix-cache-init-test/wal:${uniqueName('image')}`;
  const container = uniqueName('wal');
  await using workspace = await makeWorkspace();
  try {
    await dockerOk('create', '--name', container, '--network', 'none', await nixImage());
    await dockerOk('cp', `${container}:${database}`, join(workspace.path, 'db'));
    const path = await moveRowIntoLog(join(workspace.path, 'db'), join(workspace.path, 'logged'));
    await dockerOk('cp', `${join(workspace.path, 'logged')}/.`, `${container}:${database}`);
    await dockerOk('commit', container, tag);

    await using volume = await makeVolume();
    for (const boot of ['first', 'second']) {
      await using running = await startIdle({ image: tag, volume: volume.name });
      const valid = await running.exec(['nix-store', '--check-validity', path]);
      assert.equal(valid.exitCode, 0, `${boot} boot: ${valid.stderr}`);
      await assertStoreIsSound(running);
    }
  } finally {
    await docker('rm', '-f', '-v', container);
    await docker('image', 'rm', '-f', tag);
  }
});

/** Takes a row out of the database file and writes it again, copying while the log still holds it. */
async function moveRowIntoLog(source: string, target: string): Promise<string> {
  const file = join(source, 'db.sqlite');
  {
    using db = new DatabaseSync(file);
    db.exec('PRAGMA journal_mode = WAL');
    const row = db.prepare("SELECT * FROM ValidPaths WHERE path LIKE '%-w'").get() ?? {};
    db.prepare('DELETE FROM ValidPaths WHERE path = ?').run(row['path'] ?? null);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0');
    const columns = Object.keys(row);
    const places = columns.map(() => '?').join(', ');
    db.prepare(`INSERT INTO ValidPaths (${columns.join(', ')}) VALUES (${places})`).run(
      ...Object.values(row),
    );
    await mkdir(target);
    await cp(source, target, { recursive: true });
    // A shared-memory file is this machine's; a real image may or may not have one.
    await rm(join(target, 'db.sqlite-shm'), { force: true });
    assert.equal(rowsWithoutLog(target), 0, 'the row is in the log alone');
    return String(row['path']);
  }
}

function rowsWithoutLog(directory: string): unknown {
  using db = new DatabaseSync(`file:${join(directory, 'db.sqlite')}?immutable=1`, { readOnly: true });
  return db.prepare("SELECT count(*) AS n FROM ValidPaths WHERE path LIKE '%-w'").get()?.['n'];
}
