import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';
import { run, start } from '../strategies/ways.ts';

const show = overlay('cat', '/etc/nix/nix.conf');
const defaults = /^# Made by nix-cache-init.*\nauto-optimise-store = false\n/;

namespaceTest('our defaults come before the lines of the image, which so count for more', async () => {
  await using machine = await imageMachine();
  writeFileSync(machine.path('/etc/nix/nix.conf'), 'auto-optimise-store = true\n');
  const { stdout } = await bootInNamespace(machine, { args: show });
  assert.match(stdout, defaults);
  assert.match(stdout, /\nauto-optimise-store = true\n$/);
});

namespaceTest('an image without nix.conf gets ours', async () => {
  await using machine = await imageMachine();
  assert.match((await bootInNamespace(machine, { args: show })).stdout, defaults);
});

namespaceTest(
  'a nix.conf that is a link into the store is read from the image, collected or not',
  async () => {
    await using machine = await imageMachine();
    const inStore = '/nix/store/0000-nix.conf';
    writeFileSync(machine.path(inStore), 'cores = 3\n');
    symlinkSync(inStore, machine.path('/etc/nix/nix.conf'));
    // Neither the link nor where it leads is mounted over, so a collection can remove it, and leaves a whiteout.
    const collect = overlay('sh', '-c', `rm ${inStore} && cat /etc/nix/nix.conf`);
    for (const args of [collect, show]) {
      const { exitCode, stdout, stderr } = await bootInNamespace(machine, { args });
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, defaults);
      assert.match(stdout, /\ncores = 3\n$/);
    }
  },
);

const own = '/etc/nix/nix.conf';
/** As Nix finds them beside what nix.conf says. */
const ofAllUsers = '/etc/xdg/nix/nix.conf';
const places = {
  prefix: /^store = local\?store=/m,
  substituter: /^post-build-hook = .*^extra-substituters = /ms,
};

for (const killed of ['prefix', 'substituter'] as const) {
  namespaceTest(
    `what strategy ${killed} had in nix.conf when it was killed, no other one is told`,
    async () => {
      await using nix = await makeNixMachine({ images: ['A'] });
      const { machine } = nix;
      chmodSync(machine.path(own), 0o640);
      const users = readFileSync(machine.path(own), 'utf8');
      for (const next of ['overlay', 'local-overlay', 'prefix', 'substituter', 'none'] as const) {
        {
          await using booted = await start(nix, killed, 'echo up; exec sleep infinity');
          await booted.waitFor(/up/);
          assert.match(readFileSync(machine.path(own), 'utf8'), places[killed]);
          booted.signal('SIGKILL');
          await booted.ended;
        }
        assert.match(readFileSync(machine.path(own), 'utf8'), places[killed], 'nobody took it out');
        const script = `cat ${own}; if test -e ${ofAllUsers}; then cat ${ofAllUsers}; fi`;
        const { exitCode, stdout, stderr } = await run(nix, next, script);
        assert.equal(exitCode, 0, stderr);
        for (const [strategy, lines] of Object.entries(places))
          assert.equal(lines.test(stdout), strategy === next, `${next}: ${stdout}`);
        assert.equal(/^substitute = true/m.test(stdout), next === 'substituter', stdout);
        assert.ok(stdout.includes(users));
        // As if no boot had ever been.
        assert.equal(readFileSync(machine.path(own), 'utf8'), users);
        assert.equal(statSync(machine.path(own)).mode & 0o777, 0o640);
        assert.equal(existsSync(machine.path(ofAllUsers)), false);
      }
    },
  );
}

namespaceTest('who is refused leaves what the container that runs has in nix.conf', async () => {
  await using nix = await makeNixMachine({ images: ['A'] });
  const { machine } = nix;
  await using running = await start(nix, 'substituter', 'echo up; exec sleep infinity');
  await running.waitFor(/up/);
  const conf = readFileSync(machine.path(own), 'utf8');
  for (const other of ['overlay', 'prefix'] as const) {
    assert.equal((await run(nix, other, 'true')).exitCode, 75);
    assert.equal(readFileSync(machine.path(own), 'utf8'), conf);
  }
});

async function imageMachine(): Promise<Machine> {
  const machine = await makeMachine();
  await fillImage(machine);
  mkdirSync(machine.path('/etc/nix'), { recursive: true });
  return machine;
}
