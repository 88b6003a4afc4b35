import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay, storePath, validPaths } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

/** The shell recipe that this program replaces, and a use of it: a new path, a change to an old one. */
const recipe = `
mkdir -p nix-cache/upper nix-cache/workdir nix-cache/var
cp -a nix/var/nix nix-cache/var/nix
mount -t overlay overlay -o lowerdir=nix/store,upperdir=nix-cache/upper,workdir=nix-cache/workdir nix/store
mount --bind nix-cache/var/nix nix/var/nix
echo recipe >nix/store/by-the-recipe
rm -r .${storePath('shell')}
echo root >nix/var/nix/gcroots/of-the-recipe
umount nix/var/nix nix/store
`;

namespaceTest(
  'a volume made by the shell recipe is adopted, and what it hid of the image is back',
  async () => {
    await using machine = await recipeMachine();
    const database = lstatSync(machine.path('/nix-cache/var/nix/db/db.sqlite'), { bigint: true });
    const rows = validPaths(machine.path('/nix-cache/var/nix'));
    const script = `cat /nix/store/by-the-recipe /nix/var/nix/gcroots/of-the-recipe; ls -d ${storePath('shell')}`;
    for (let boot = 0; boot < 2; boot += 1) {
      const outcome = await bootInNamespace(machine, { args: overlay('sh', '-c', script) });
      assert.deepEqual(outcome, { exitCode: 0, stdout: `recipe\nroot\n${storePath('shell')}\n`, stderr: '' });
    }
    const adopted = lstatSync(machine.path('/nix-cache/var/nix/db/db.sqlite'), { bigint: true });
    assert.equal(adopted.ino, database.ino);
    assert.deepEqual(validPaths(machine.path('/nix-cache/var/nix')), rows);
    const manifest = readFileSync(machine.path('/nix-cache/.nix-cache-init/manifest.json'), 'utf8');
    assert.partialDeepStrictEqual(JSON.parse(manifest), { format: 1, strategy: 'overlay' });
  },
);

namespaceTest('what the recipe’s last boot left of locks and sockets is cleared', async () => {
  await using machine = await recipeMachine();
  await bootInNamespace(machine, { args: overlay('true') });
  for (const name of ['temproots', 'gc-socket', 'daemon-socket', 'userpool']) {
    const path = machine.path(`/nix-cache/var/nix/${name}`);
    if (lstatSync(path, { throwIfNoEntry: false })) assert.deepEqual(readdirSync(path), [], name);
  }
});

namespaceTest('a state directory without a database is put aside, not lost, and seeded anew', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  await machine.shell('mkdir -p nix-cache/var/nix/gcroots; echo mine >nix-cache/var/nix/gcroots/note');
  const outcome = await bootInNamespace(machine, { args: overlay('true') });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  assert.deepEqual(validPaths(machine.path('/nix-cache/var/nix')), validPaths(machine.path('/nix/var/nix')));
  assert.equal(await machine.shell('cat nix-cache/.nix-cache-init/trash/*/gcroots/note'), 'mine');
});

async function recipeMachine(): Promise<Machine> {
  const machine = await makeMachine();
  await fillImage(machine);
  await machine.shell(recipe);
  return machine;
}
