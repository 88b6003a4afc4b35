import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import {
  fillImage,
  overlay,
  perBoot,
  reconciled,
  validPaths,
  withoutBusy,
} from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { snapshotTree } from '../harness/treeSnapshot.ts';

// A file system that keeps what it is given: owners, modes, nanoseconds, attributes, links.
const disk = { volume: 'ext4' } as const;
const state = '/nix-cache/var/nix';
/** The boot makes a mount point in the state directory, which changes the time of that, too. */
const made = ['builds'];
const root = '';

namespaceTest(
  'the first boot gives the volume the whole state directory, to the last attribute',
  async () => {
    await using machine = await makeMachine(disk);
    await fillImage(machine);
    const image = await snapshotTree(machine.path('/nix/var/nix'), [...perBoot, ...reconciled]);
    const outcome = await bootInNamespace(machine, { args: overlay('true') });
    assert.deepEqual(outcome, { exitCode: 0, stdout: '', stderr: '' });
    const seeded = await snapshotTree(machine.path(state), [...made, ...reconciled]);
    assert.deepEqual(withoutBusy(seeded), withoutBusy(image));
  },
);

namespaceTest('rows that are only in the write-ahead log of the image are not lost', async () => {
  await using machine = await makeMachine(disk);
  await fillImage(machine, { rows: 500 });
  assert.ok(lstatSync(machine.path('/nix/var/nix/db/db.sqlite-wal')).size > 0);
  await bootInNamespace(machine, { args: overlay('true') });
  const paths = validPaths(machine.path(state));
  assert.equal(paths.length, 503);
  assert.deepEqual(paths, validPaths(machine.path('/nix/var/nix')));
});

namespaceTest('sockets, locks, builds and what processes held are not brought along', async () => {
  await using machine = await makeMachine(disk);
  await fillImage(machine);
  await bootInNamespace(machine, { args: overlay('true') });
  for (const path of perBoot) {
    const full = machine.path(`${state}/${path}`);
    const there = lstatSync(full, { throwIfNoEntry: false });
    if (there?.isDirectory()) assert.deepEqual(readdirSync(full), [], path);
    else assert.equal(there, undefined, path);
  }
});

namespaceTest('files whose names are no UTF-8 are seeded like the others', async () => {
  await using machine = await makeMachine(disk);
  await fillImage(machine);
  await machine.shell('echo kept >"nix/var/nix/profiles/$(printf "caf\\\\351")"');
  const outcome = await bootInNamespace(machine, { args: overlay('true') });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  assert.equal(await machine.shell('cat nix-cache/var/nix/profiles/caf*'), 'kept');
});

namespaceTest('what is seeded is seeded once: the second boot finds and keeps the state', async () => {
  await using machine = await makeMachine(disk);
  await fillImage(machine);
  const script =
    'echo new >/nix/store/new; echo root >/nix/var/nix/gcroots/mine; echo s >/nix/var/nix/temproots/1';
  await bootInNamespace(machine, {
    args: overlay('sh', '-euc', `mkdir -p /nix/var/nix/temproots; ${script}`),
  });
  const database = machine.path(`${state}/db/db.sqlite`);
  const { ino } = lstatSync(database);
  const check =
    'cat /nix/store/new /nix/var/nix/gcroots/mine; ls -A /nix/var/nix/temproots 2>/dev/null || true';
  const second = await bootInNamespace(machine, { args: overlay('sh', '-euc', check) });
  assert.deepEqual(second, { exitCode: 0, stdout: 'new\nroot\n', stderr: '' });
  assert.equal(lstatSync(database).ino, ino);
});

namespaceTest('the image keeps its store and its state as they were', async () => {
  await using machine = await makeMachine(disk);
  await fillImage(machine);
  const snapshot = async (): Promise<unknown> => {
    const { [root]: _, ...kept } = await snapshotTree(machine.path('/nix/var/nix'), made);
    return [await snapshotTree(machine.path('/nix/store')), kept];
  };
  const before = await snapshot();
  const script = 'echo new >/nix/store/new; rm -r /nix/store/*-hello; rm -r /nix/var/nix/profiles';
  const outcome = await bootInNamespace(machine, { args: overlay('sh', '-euc', script) });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  assert.deepEqual(await snapshot(), before);
});

namespaceTest('the volume gets what is new, a manifest, and nothing of the image store', async () => {
  await using machine = await makeMachine(disk);
  await fillImage(machine);
  const script = 'cat /nix/store/*/bin/* >/dev/null; ls -lR /nix/store >/dev/null; echo new >/nix/store/new';
  await bootInNamespace(machine, { args: overlay('sh', '-euc', script) });
  assert.deepEqual(readdirSync(machine.path('/nix-cache/upper')), ['new']);
  const own = machine.path('/nix-cache/.nix-cache-init');
  const manifest: unknown = JSON.parse(readFileSync(`${own}/manifest.json`, 'utf8'));
  assert.partialDeepStrictEqual(manifest, { format: 1, strategy: 'overlay', xattrs: 'trusted' });
  assert.ok(!existsSync(`${own}/seed`));
});
