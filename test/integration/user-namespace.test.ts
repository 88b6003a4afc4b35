import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { assertFails, assertOneWarning } from '../harness/failureLine.ts';
import { bootInNamespace, type NamespaceBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay, storePath, validPaths } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { assertVerified } from '../harness/nix.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';
import { outlineTree } from '../harness/treeSnapshot.ts';

/** What `unshare -Ur` makes: root has a number, and nobody else. */
const single: Partial<NamespaceBoot> = { rootless: true };
/** What a rootless engine makes of /etc/subuid. */
const many: Partial<NamespaceBoot> = { rootless: 'many' };

const kinds = [
  ['only root has a number', single],
  ['many have a number', many],
] as const;

const marksOf = (volume: string): unknown =>
  JSON.parse(readFileSync(`${volume}/.nix-cache-init/manifest.json`, 'utf8')).xattrs;

async function makeRootlessMachine(): Promise<Machine> {
  const machine = await makeMachine({ volume: 'ext4' });
  await fillImage(machine);
  await machine.shell('chown 0:30000 nix/store; chmod 1775 nix/store');
  return machine;
}

for (const [name, how] of kinds) {
  namespaceTest(`in a user namespace where ${name}, what is made is there at the next boot`, async () => {
    await using machine = await makeRootlessMachine();
    const valid = validPaths(machine.path('/nix/var/nix'));
    const boot = (script: string) =>
      bootInNamespace(machine, { args: overlay('sh', '-euc', script), ...how });
    const made = await boot('mkdir /nix/store/made; echo kept >/nix/store/made/file');
    assert.equal(made.exitCode, 0, made.stderr);
    const read = `cat /nix/store/made/file; stat -c %a /nix/store; cat ${storePath('hello')}/bin/hello | tail -n 1`;
    const stdout = 'kept\n1775\necho hello of the image\n';
    assert.deepEqual(await boot(read), { exitCode: 0, stdout, stderr: '' });
    assert.deepEqual(validPaths(machine.path('/nix-cache/var/nix')), valid);
    assert.equal(marksOf(machine.path('/nix-cache')), 'user');
  });

  namespaceTest(
    `in a user namespace where ${name}, an image path that goes is back at the next boot`,
    async () => {
      await using machine = await makeRootlessMachine();
      const boot = (script: string) =>
        bootInNamespace(machine, { args: overlay('sh', '-euc', script), ...how });
      const hello = storePath('hello');
      const gone = await boot(`rm -r ${hello}; ls ${hello} 2>&1 || true`);
      assert.match(gone.stdout, /No such file/, gone.stderr);
      assert.deepEqual(await boot(`ls ${hello}/bin`), { exitCode: 0, stdout: 'hello\n', stderr: '' });
    },
  );
}

namespaceTest(
  'owners that cannot be kept are said once, and nothing of theirs becomes more mighty',
  async () => {
    await using machine = await makeMachine();
    await fillImage(machine);
    // Its own, but for the group: a program of root for somebody who is not there.
    await machine.shell(
      'cp nix/var/nix/profiles/twin-a nix/var/nix/profiles/setgid; cd nix/var/nix/profiles; chown 0:5678 setgid; chmod 2755 setgid',
    );
    const args = overlay(
      'sh',
      '-euc',
      'echo new >/nix/store/new; stat -c %a:%u:%g /nix/var/nix/profiles/setgid',
    );
    const first = await bootInNamespace(machine, { args, ...single });
    assert.equal(first.exitCode, 0, first.stderr);
    assert.equal(first.stdout, '755:0:0\n');
    // profiles/suid is 4751: whoever is not its owner may not read it.
    assertOneWarning(
      first,
      /copied: \d+ without the owners .* 1 not at all, unreadable here \(profiles\/suid\)/,
    );
    const volume = machine.path('/nix-cache');
    assert.equal(statSync(`${volume}/var/nix/gcroots/per-user`).mode & 0o7777, 0o1777);
    assert.deepEqual(validPaths(`${volume}/var/nix`).length, validPaths(machine.path('/nix/var/nix')).length);
    assert.equal(marksOf(volume), 'user');

    const second = await bootInNamespace(machine, { args: overlay('cat', '/nix/store/new'), ...single });
    assert.deepEqual(second, { exitCode: 0, stdout: 'new\n', stderr: '' });
  },
);

namespaceTest('a namespace with numbers for all keeps all owners, and says nothing', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const show = 'cd /nix/var/nix; stat -c %a:%u:%g profiles/suid gcroots/per-user profiles/default';
  const outcome = await bootInNamespace(machine, { args: overlay('sh', '-euc', show), ...many });
  assert.deepEqual(outcome, {
    exitCode: 0,
    stdout: '4751:1234:5678\n1777:1234:5678\n777:4321:8765\n',
    stderr: '',
  });
});

namespaceTest('who only reads is told, too, when it is the image that is copied', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const args = ['--access=read-only', ...overlay('cat', '/nix/var/nix/db/schema')];
  const outcome = await bootInNamespace(machine, { args, ...single });
  assert.equal(outcome.stdout, '10\n', outcome.stderr);
  assertOneWarning(outcome, /copied: \d+ without the owners .* 1 not at all/);
});

namespaceTest('a volume is of the one kind or the other, and says so', async () => {
  for (const [first, second] of [
    [{}, many],
    [many, {}],
    [{}, single],
    [single, {}],
  ] as const) {
    await using machine = await makeMachine();
    await fillImage(machine);
    const boot = (how: Partial<NamespaceBoot>) =>
      bootInNamespace(machine, { args: overlay('sh', '-c', 'echo ran >/nix/store/ran'), ...how });
    assert.equal((await boot(first)).exitCode, 0);
    const before = outlineTree(machine.path('/nix-cache'), ['.nix-cache-init/lock']);
    assertFails(
      await boot(second),
      78,
      /attributes.*\(use it as before \(with or without a user namespace\)/,
    );
    assert.deepEqual(outlineTree(machine.path('/nix-cache'), ['.nix-cache-init/lock']), before);
    assert.equal((await boot(first)).exitCode, 0);
  }
});

for (const [name, how] of kinds) {
  namespaceTest(`a real Nix in a user namespace where ${name}: built once, upgraded, collected`, async () => {
    await using machine = await makeNixMachine();
    const boot = (script: string) =>
      machine.boot(['sh', '-euc', script], {
        ...how,
        env: { NIX_CACHE_INIT_LOWERS: '["/images/C/store"]' },
      });
    const build = 'nix-build /packages.nix -A e -A d --no-out-link';
    const first = await boot(build);
    assert.equal(first.exitCode, 0, first.stderr);
    // The lower has d.
    assert.match(first.stderr, /building '.*-e\.drv'/);
    assert.doesNotMatch(first.stderr, /building '.*-d\.drv'/);
    await machine.switchImage('B');
    const second = await boot(build);
    assert.doesNotMatch(second.stderr, /building '/);
    assert.equal(second.stdout, first.stdout);
    assertVerified(await boot('nix-store --verify --check-contents'));
    const collected = await boot('nix-store --gc; nix-store --verify --check-contents');
    assertVerified(collected);
    assert.equal(await machine.machine.shell('find nix-cache/upper -maxdepth 1 -type c'), '');
  });
}
