import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { changeDatabase } from '../harness/changeDatabase.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { reader, writer } from '../harness/namespaceReaders.ts';
import { fillImage, storePath } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { everythingOf } from '../harness/treeSnapshot.ts';

type Kind = 'directory' | 'file' | 'symlink';
const kinds: Kind[] = ['directory', 'file', 'symlink'];
const pairs = kinds.flatMap((image) => kinds.map((volume) => ({ image, volume })));
/** Of letters that a hash of Nix's can have. */
const nameOf = ({ image, volume }: { image: Kind; volume: Kind }): string => `${image[0]}${volume[0]}`;

namespaceTest('a path that the image has, too, is the image’s alone, whatever the two are', async () => {
  await using machine = await machineWithBoth();
  validate(machine.path('/nix/var/nix'));
  assert.deepEqual(
    await seenBy(machine),
    pairs.map((pair) => `${nameOf(pair)}: of the image`),
  );
});

namespaceTest('a path that only the volume’s database knows is the volume’s alone, read-only', async () => {
  await using machine = await machineWithBoth();
  const before = everythingOf(machine.path('/nix-cache'));
  assert.deepEqual(
    await seenBy(machine),
    pairs.map((pair) => `${nameOf(pair)}: of the volume`),
  );
  // Even with a volume that could be written to.
  const { args } = reader('sh', '-c', `rm -rf ${storePath('dd')}/file; echo tried`);
  const mounts = machine.mounts();
  const outcome = await bootInNamespace(machine, { args, shared: true });
  assert.equal(outcome.stdout, 'tried\n', outcome.stderr);
  assert.match(outcome.stderr, /Read-only file system/);
  assert.deepEqual(everythingOf(machine.path('/nix-cache')), before);
  assert.deepEqual(machine.mounts(), mounts);
});

namespaceTest('in a user namespace, too', async () => {
  await using machine = await machineWithBoth(true);
  assert.deepEqual(
    await seenBy(machine, true),
    pairs.map((pair) => `${nameOf(pair)}: of the volume`),
  );
  validate(machine.path('/nix/var/nix'));
  assert.deepEqual(
    await seenBy(machine, true),
    pairs.map((pair) => `${nameOf(pair)}: of the image`),
  );
});

/** An image and a volume with paths of the same names; only the volume's database knows them. */
async function machineWithBoth(rootless = false): Promise<Machine> {
  const machine = await makeMachine();
  await fillImage(machine, { rows: 20 });
  const first = await bootInNamespace(machine, { ...writer('true'), rootless: rootless && 'many' });
  assert.equal(first.exitCode, 0, first.stderr);
  for (const pair of pairs) {
    place(machine.path(storePath(nameOf(pair))), pair.image, 'of the image');
    const onVolume = storePath(nameOf(pair)).replace('/nix/store', '/nix-cache/upper');
    place(machine.path(onVolume), pair.volume, 'of the volume');
  }
  validate(machine.path('/nix-cache/var/nix'));
  return machine;
}

function place(path: string, kind: Kind, text: string): void {
  rmSync(path, { recursive: true, force: true });
  if (kind === 'file') writeFileSync(path, text);
  if (kind === 'symlink') symlinkSync(text, path);
  if (kind !== 'directory') return;
  mkdirSync(path);
  writeFileSync(`${path}/file`, text);
  writeFileSync(`${path}/${text}`, '');
}

function validate(stateDir: string): void {
  changeDatabase(stateDir, (database) => {
    const insert = database.prepare(
      'insert into ValidPaths (path, hash, registrationTime) values (?, ?, 1700000000)',
    );
    for (const pair of pairs) insert.run(storePath(nameOf(pair)), `sha256:${'2'.repeat(64)}`);
  });
}

/** What a reader has: of a directory all names in it, too. */
async function seenBy(machine: Machine, rootless = false): Promise<string[]> {
  const show = pairs.map((pair) => {
    const path = storePath(nameOf(pair));
    return `if [ -L ${path} ]; then text=$(readlink ${path})
      elif [ -f ${path} ]; then text=$(cat ${path})
      else text=$(cat ${path}/file) && [ "$(ls ${path})" = "file
$text" ] || text="merged: $(ls ${path})"; fi; echo "${nameOf(pair)}: $text"`;
  });
  const boot = reader('sh', '-euc', show.join('\n'));
  const outcome = await bootInNamespace(machine, { ...boot, rootless: rootless && 'many' });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  return outcome.stdout.trim().split('\n');
}
