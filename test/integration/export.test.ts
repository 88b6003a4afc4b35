import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { program } from '../harness/checking.ts';
import { exportAlone, killedExport } from '../harness/exporting.ts';
import { depths } from '../harness/injection.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { installCommands } from '../harness/packages.ts';
import { startStraced } from '../harness/straced.ts';
import { outlineTree } from '../harness/treeSnapshot.ts';

/** What it does in any case, whatever the file system offers for copying. */
const certain = ['mkdir', 'chmod', 'utimensat', 'syncfs', 'rename', 'rmdir'];

/** The default profile's package of the image, and where an export of it goes. */
async function ground(machine: NixMachine): Promise<{ path: string; out: string }> {
  const path = await machine.nix('readlink -f /nix/var/nix/profiles/default');
  return { path, out: machine.machine.path('/out') };
}

namespaceTest(
  'killed at any system call, there is a whole closure or none, and the next one is whole',
  async () => {
    await installCommands({ strace: 'strace' });
    await using machine = await makeNixMachine({ images: ['A'] });
    const { path, out } = await ground(machine);
    const reference = await exportAlone(machine, ['--to', '/reference', path]);
    assert.equal(reference.exitCode, 0, reference.stderr);
    const whole = outlineTree(machine.machine.path('/reference/nix'));
    const hit = new Set<string>();
    for (const call of [...certain, 'copy_file_range', 'sendfile']) {
      for (const n of depths()) {
        await machine.machine.shell('rm -rf out');
        if ((await killedExport(machine, ['--to', '/out', path], { call, n })) === 'completed') break;
        hit.add(call);
        const where = `killed at call ${n} of ${call}`;
        if (!existsSync(`${out}/nix`)) {
          const again = await exportAlone(machine, ['--to', '/out', path]);
          assert.equal(again.exitCode, 0, `${where}: ${again.stderr}`);
          assert.deepEqual(readdirSync(out), ['nix'], where);
        }
        assert.deepEqual(outlineTree(`${out}/nix`), whole, where);
      }
    }
    for (const call of certain) assert.ok(hit.has(call), `${call} was never called`);
  },
  900_000,
);

namespaceTest('a TERM ends it with 143, and nothing is left', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  const { path, out } = await ground(machine);
  const inject = ['-e', 'trace=utimensat', '-e', 'inject=utimensat:signal=TERM:when=2'];
  await using exporting = await startStraced(
    machine.machine,
    { program: [program, 'export'], args: ['--to', '/out', path] },
    inject,
  );
  const { exitCode, stderr } = await exporting.ended;
  assert.equal(exitCode, 143, stderr);
  assert.equal(existsSync(out), false);
});

namespaceTest('a full disk is named, and nothing is left', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  const { path } = await ground(machine);
  await machine.machine.shell('mkdir small; mount -t tmpfs -o nr_inodes=6 small small');
  const { exitCode, stderr } = await exportAlone(machine, ['--to', '/small', path]);
  assert.equal(exitCode, 74, stderr);
  assert.match(
    stderr,
    /^nix-cache-init: export: cannot export to \/small: \w+ \/small\/.+: ENOSPC \(make room where .*\)$/m,
  );
  assert.deepEqual(readdirSync(machine.machine.path('/small')), []);
});

namespaceTest('paths that are not valid are named, each of them, and nothing is made', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  const { path, out } = await ground(machine);
  const absent = '/nix/store/00000000000000000000000000000000-absent';
  const { exitCode, stderr } = await exportAlone(machine, ['--to', '/out', absent, path, '/etc']);
  assert.equal(exitCode, 64, stderr);
  assert.match(stderr, new RegExp(`no closure of ${absent}, /etc: .*nix-store --realise ${absent} /etc`));
  assert.equal(existsSync(out), false);
});

namespaceTest('a path whose contents are not what Nix says is not exported', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  const { path, out } = await ground(machine);
  await machine.machine.shell(`chmod u+w .${path}/share/b; echo garbled >.${path}/share/b`);
  const { exitCode, stderr } = await exportAlone(machine, ['--to', '/out', path]);
  assert.equal(exitCode, 74, stderr);
  assert.match(stderr, new RegExp(`export: ${path} was not exported: its contents`));
  assert.equal(existsSync(out), false);
});

namespaceTest('a path that is in the database alone is named', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  const { path, out } = await ground(machine);
  await machine.machine.shell(`rm -r .${path}`);
  const { exitCode, stderr } = await exportAlone(machine, ['--to', '/out', path]);
  assert.equal(exitCode, 78, stderr);
  assert.match(stderr, new RegExp(`Nix said ${path} is valid, but .* is not there: ENOENT`));
  assert.equal(existsSync(out), false);
});
