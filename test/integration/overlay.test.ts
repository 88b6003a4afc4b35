import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay, storePath } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

namespaceTest('what is written to the store and the state is there at the next boot', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const write =
    'mkdir /nix/store/made; echo kept >/nix/store/made/file; ln -s made /nix/var/nix/gcroots/made';
  await bootInNamespace(machine, { args: overlay('sh', '-euc', write) });
  const read = `cat /nix/store/made/file; readlink /nix/var/nix/gcroots/made; ${storePath('hello')}/bin/hello`;
  await machine.shell(`chmod +x .${storePath('hello')}/bin/hello`);
  const outcome = await bootInNamespace(machine, { args: overlay('sh', '-euc', read) });
  assert.deepEqual(outcome, { exitCode: 0, stdout: 'kept\nmade\nhello of the image\n', stderr: '' });
});

namespaceTest(
  'the pristine store and state are aside, read-only, and show nothing of the volume',
  async () => {
    await using machine = await makeMachine();
    await fillImage(machine);
    const lower = '/run/nix-cache-init/lower';
    const script = `
    touch /nix/store/new /nix/var/nix/new
    [ -d ${lower}${storePath('hello').replace('/nix', '')} ] && [ -f ${lower}/state/db/db.sqlite ] && echo there
    [ -e ${lower}/store/new ] || [ -e ${lower}/state/new ] || echo pristine
    touch ${lower}/store/x 2>/dev/null || touch ${lower}/state/x 2>/dev/null || echo read-only`;
    const outcome = await bootInNamespace(machine, { args: overlay('sh', '-c', script) });
    assert.equal(outcome.stdout, 'there\npristine\nread-only\n', outcome.stderr);
  },
);

namespaceTest('the store keeps the owner and mode that the image gave it', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  await machine.shell('chown 0:30000 nix/store; chmod 1775 nix/store');
  for (let boot = 0; boot < 2; boot += 1) {
    const outcome = await bootInNamespace(machine, { args: overlay('stat', '-c', '%u:%g %a', '/nix/store') });
    assert.equal(outcome.stdout, '0:30000 1775\n');
  }
});

namespaceTest('builds are kept off the volume', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const builds = '/nix/var/nix/builds';
  const script = `echo scratch >${builds}/file; cat ${builds}/file; ls -A /nix-cache/var/nix/builds`;
  const outcome = await bootInNamespace(machine, { args: overlay('sh', '-euc', script) });
  assert.deepEqual(outcome, { exitCode: 0, stdout: 'scratch\n', stderr: '' });
});

namespaceTest('nix.conf has our defaults before what the image says, also where there was none', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const show = { args: overlay('cat', '/etc/nix/nix.conf') };
  assert.match((await bootInNamespace(machine, show)).stdout, /^auto-optimise-store = false$/m);
  await machine.shell('mkdir -p etc/nix; echo "auto-optimise-store = true" >etc/nix/nix.conf');
  assert.match(
    (await bootInNamespace(machine, show)).stdout,
    /^auto-optimise-store = false$[\s\S]*^auto-optimise-store = true$/m,
  );
  assert.equal(readFileSync(machine.path('/etc/nix/nix.conf'), 'utf8'), 'auto-optimise-store = true\n');
});

namespaceTest('the overlay has the options with which an image may be upgraded below it', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const args = overlay('grep', ' /nix/store ', '/proc/self/mountinfo');
  const { stdout } = await bootInNamespace(machine, { args });
  assert.match(stdout, / - overlay overlay .*upperdir=\/nix-cache\/upper,workdir=\/nix-cache\/workdir/);
  assert.doesNotMatch(stdout, /volatile|index=on|metacopy=on|redirect_dir=on|xino=on|nfs_export=on/);
});

namespaceTest('boot.json tells what was done and how long it took', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const outcome = await bootInNamespace(machine, { args: overlay('cat', '/run/nix-cache-init/boot.json') });
  const { strategy, steps } = JSON.parse(outcome.stdout) as { strategy: string; steps: { ms: unknown }[] };
  assert.equal(strategy, 'overlay');
  assert.ok(steps.length > 5 && steps.every(({ ms }) => typeof ms === 'number'));
});

namespaceTest(
  'with nothing mounted at /nix-cache it says in one line that nothing is kept, and goes on',
  async () => {
    await using machine = await makeMachine({ volume: 'directory' });
    await fillImage(machine);
    const args = ['--daemon-enabled=no', '--', 'sh', '-c', 'echo runs; exit 4'];
    const outcome = await bootInNamespace(machine, { args });
    assert.deepEqual([outcome.exitCode, outcome.stdout], [4, 'runs\n']);
    assert.match(outcome.stderr, /^.*nothing is mounted at \/nix-cache.*\n$/);
  },
);

namespaceTest(
  'where mounting is not allowed, and there is no Nix, it says in one line that nothing is kept, and goes on',
  async () => {
    await using machine = await makeMachine();
    await fillImage(machine);
    const via = 'exec setpriv --inh-caps -sys_admin --bounding-set -sys_admin "$@"';
    const args = ['--daemon-enabled=no', '--', 'sh', '-c', 'echo runs; exit 4'];
    const outcome = await bootInNamespace(machine, { via, args });
    assert.deepEqual([outcome.exitCode, outcome.stdout], [4, 'runs\n']);
    assert.match(
      outcome.stderr,
      /^.*CAP_SYS_ADMIN.*EPERM.*nix-store was not found.*nothing will be kept.*\n$/,
    );
    assert.throws(() => statSync(machine.path('/nix-cache/upper')), { code: 'ENOENT' });
  },
);
