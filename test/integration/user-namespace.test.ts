import assert from 'node:assert/strict';
import { lstatSync, readFileSync } from 'node:fs';
import { bootInNamespace, type NamespaceBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay, storePath, validPaths } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

/** How a rootless engine maps users, and what becomes of a user other than root. */
const kinds = [
  { rootless: true, name: 'only root has a number', owner: [0, 0], lost: true },
  { rootless: 'many', name: 'many have a number', owner: [1234, 5678], lost: false },
] as const;

const onVolume = (machine: Machine, path: string): string => machine.path(`/nix-cache${path}`);

async function makeRootlessMachine(): Promise<Machine> {
  const machine = await makeMachine({ volume: 'ext4' });
  await fillImage(machine);
  // Of somebody without a number here, root can read no more than anybody.
  await machine.shell('chmod 4755 nix/var/nix/profiles/suid; chown 0:30000 nix/store; chmod 1775 nix/store');
  return machine;
}

const boot = (machine: Machine, rootless: NamespaceBoot['rootless'], script: string) =>
  bootInNamespace(machine, { ...(rootless && { rootless }), args: overlay('sh', '-euc', script) });

for (const { rootless, name, owner, lost } of kinds) {
  namespaceTest(`in a user namespace where ${name}, what is made is there at the next boot`, async () => {
    await using machine = await makeRootlessMachine();
    const valid = validPaths(machine.path('/nix/var/nix'));
    const made = await boot(machine, rootless, 'mkdir /nix/store/made; echo kept >/nix/store/made/file');
    assert.equal(made.exitCode, 0, made.stderr);
    const read = `cat /nix/store/made/file; stat -c %a /nix/store; cat ${storePath('hello')}/bin/hello | tail -n 1`;
    const outcome = await boot(machine, rootless, read);
    assert.deepEqual(outcome, { exitCode: 0, stdout: 'kept\n1775\necho hello of the image\n', stderr: '' });
    assert.deepEqual(validPaths(onVolume(machine, '/var/nix')), valid);
    const manifest = readFileSync(onVolume(machine, '/.nix-cache-init/manifest.json'), 'utf8');
    assert.match(manifest, /"xattrs": ?"user"/);
  });

  namespaceTest(
    `in a user namespace where ${name}, an image path that goes leaves a whiteout for one boot`,
    async () => {
      await using machine = await makeRootlessMachine();
      const hello = storePath('hello');
      const gone = await boot(machine, rootless, `rm -r ${hello}; ls ${hello} 2>&1 || true`);
      assert.match(gone.stdout, /No such file/, gone.stderr);
      const back = await boot(machine, rootless, `ls ${hello}/bin`);
      assert.deepEqual(back, { exitCode: 0, stdout: 'hello\n', stderr: '' });
    },
  );

  namespaceTest(
    `in a user namespace where ${name}, owners are ${lost ? 'root, and that is said once' : 'kept'}`,
    async () => {
      await using machine = await makeRootlessMachine();
      const first = await boot(machine, rootless, 'true');
      const said =
        /3 files of the image's Nix state belong to users for whom this user namespace has no number/;
      if (lost) assert.match(first.stderr, said);
      else assert.equal(first.stderr, '');
      const { uid, gid } = lstatSync(onVolume(machine, '/var/nix/profiles/suid'));
      assert.deepEqual([uid, gid], owner);
      assert.deepEqual(await boot(machine, rootless, 'true'), { exitCode: 0, stdout: '', stderr: '' });
    },
  );
}

const crossings = [
  { before: undefined, after: true },
  { before: true, after: undefined },
] as const;

for (const { before, after } of crossings) {
  const [from, to] = before === undefined ? ['outside', 'inside'] : ['inside', 'outside'];
  namespaceTest(
    `a volume from ${from} of a user namespace is refused ${to}, and stays as it was`,
    async () => {
      await using machine = await makeRootlessMachine();
      await boot(machine, before, 'echo kept >/nix/store/made');
      const refused = await boot(machine, after, 'echo ran');
      assert.equal(refused.exitCode, 78);
      assert.equal(refused.stdout, '');
      assert.match(refused.stderr, /^nix-cache-init: facts: .*(trusted|user)\.overlay.*: E[A-Z]+ \(.+\)\n$/);
      const again = await boot(machine, before, 'cat /nix/store/made');
      assert.deepEqual(again, { exitCode: 0, stdout: 'kept\n', stderr: '' });
    },
  );
}
