import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { atGrowingDepth, sendAt } from '../harness/injection.ts';
import { bootInNamespace, startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay, storePath } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';

/** By which settling, noting and the way back change something. */
const calls = ['mkdir', 'symlink', 'unlink', 'fsync', 'rename', 'inotify_add_watch', 'umount2'];
const auto = '/nix/var/nix/gcroots/auto';
const [a, b] = ['alpha', 'beta'].map(storePath) as [string, string];

/** What `nix-build -o /work/result` leaves, in shell. */
const build = (path: string): string =>
  `ln -sfn ${path} /work/result; ln -s /work/result ${auto}/new; mv -T ${auto}/new ${auto}/of-result`;
/** What Nix's garbage collector does: links that lead to nothing are stale. */
const collect = `for link in ${auto}/*; do [ -L "$(readlink "$link")" ] || rm -f "$link"; done`;

async function makeProjects(): Promise<Machine> {
  const machine = await makeMachine();
  await fillImage(machine);
  await machine.shell('mkdir -p work projects/a projects/b');
  return machine;
}

const mountProject = (machine: Machine, name: string): Promise<string> =>
  machine.shell(`umount work 2>/dev/null || true; mount --bind projects/${name} work`);
const unmountProject = (machine: Machine): Promise<string> => machine.shell('umount work');

async function bootRunning(machine: Machine, script: string): Promise<void> {
  const outcome = await bootInNamespace(machine, { args: overlay('sh', '-euc', script) });
  assert.deepEqual(outcome, { exitCode: 0, stdout: '', stderr: '' }, script);
}

const inState = (machine: Machine, path: string): string => machine.path(`/nix-cache/var/nix/${path}`);

/** What is directly rooted for projects that are not there. */
function kept(machine: Machine): string[] {
  const directory = inState(machine, 'gcroots/absent');
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .map((name) => readlinkSync(`${directory}/${name}`))
    .sort();
}

const hasAuto = (machine: Machine): boolean =>
  readdirSync(inState(machine, 'gcroots/auto')).includes('of-result');

namespaceTest("a project's result stays rooted through containers in which it is not mounted", async () => {
  await using machine = await makeProjects();
  await mountProject(machine, 'a');
  await bootRunning(machine, build(a));
  await unmountProject(machine);
  await bootRunning(machine, collect);
  assert.deepEqual([kept(machine), hasAuto(machine)], [[a], false]);
  await bootRunning(machine, 'true');
  assert.deepEqual(kept(machine), [a]);

  await mountProject(machine, 'a');
  await bootRunning(machine, `[ "$(readlink ${auto}/of-result)" = /work/result ]`);
  assert.deepEqual([kept(machine), hasAuto(machine)], [[], true]);
  await bootRunning(machine, 'rm /work/result');
  await unmountProject(machine);
  await bootRunning(machine, 'true');
  assert.deepEqual(kept(machine), []);
});

namespaceTest(
  "a project's result that is removed while no container runs is let go when the project is back",
  async () => {
    await using machine = await makeProjects();
    await mountProject(machine, 'a');
    await bootRunning(machine, build(a));
    await unmountProject(machine);
    await machine.shell('rm projects/a/result');
    await bootRunning(machine, collect);
    assert.deepEqual(kept(machine), [a]);
    await mountProject(machine, 'a');
    await bootRunning(machine, 'true');
    assert.deepEqual(kept(machine), []);
  },
);

namespaceTest('two projects that take turns at one place keep what is theirs', async () => {
  await using machine = await makeProjects();
  await mountProject(machine, 'a');
  await bootRunning(machine, build(a));
  await mountProject(machine, 'b');
  await bootRunning(machine, `${collect}; ${build(b)}`);
  assert.deepEqual(kept(machine), [a]);
  await mountProject(machine, 'a');
  await bootRunning(machine, collect);
  assert.deepEqual([kept(machine), hasAuto(machine)], [[b], true]);
  await unmountProject(machine);
  await bootRunning(machine, collect);
  assert.deepEqual(kept(machine), [a, b].sort());
});

namespaceTest('a container that is killed has noted its roots', async () => {
  await using machine = await makeProjects();
  await mountProject(machine, 'a');
  const record = machine.path('/nix-cache/.nix-cache-init/indirect-roots.json');
  await using booted = await startBoot(machine, {
    args: overlay('sh', '-euc', `echo ready; read line; ${build(a)}; exec sleep 60`),
    input: 'go\n',
  });
  await booted.waitFor(/ready/);
  while (!existsSync(record) || !readFileSync(record, 'utf8').includes(a)) await sleep(5);
  booted.signal('SIGKILL');
  await booted.ended;
  await unmountProject(machine);
  await bootRunning(machine, collect);
  assert.deepEqual(kept(machine), [a]);
});

namespaceTest('a volume that is full is booted all the same, with a warning', async () => {
  await using machine = await makeMachine({ volume: 'ext4', size: '8M' });
  await fillImage(machine);
  await machine.shell('mkdir -p work projects/a');
  await mountProject(machine, 'a');
  await bootRunning(machine, build(a));
  await unmountProject(machine);
  await machine.shell('dd if=/dev/zero of=nix-cache/fill bs=1k 2>/dev/null || true');
  const outcome = await bootInNamespace(machine, { args: overlay('echo', 'up') });
  assert.equal(outcome.stdout, 'up\n', outcome.stderr);
  assert.match(outcome.stderr, /no space to keep what absent projects have built/);
  await machine.shell('rm nix-cache/fill');
  await bootRunning(machine, collect);
  assert.deepEqual(kept(machine), [a]);
});

namespaceTest(
  'killed at any system call of a boot without the project, or with it, no root is lost',
  async () => {
    await installCommands({ strace: 'strace' });
    await using machine = await makeProjects();
    let hits = 0;
    for (const now of ['away', 'back'] as const) {
      hits += await atGrowingDepth(calls, async (call, n) => {
        await machine.shell('find nix-cache -mindepth 1 -delete; rm -f projects/a/*');
        await mountProject(machine, 'a');
        await bootRunning(machine, build(a));
        await unmountProject(machine);
        if (now === 'back') {
          await bootRunning(machine, collect);
          await mountProject(machine, 'a');
        }
        const via = sendAt(call, n, 'KILL');
        const killed = await bootInNamespace(machine, { via, args: overlay('true') });
        const where = `${now}: killed at call ${n} of ${call}`;
        // Whatever it was that was interrupted, without the project comes what could lose it.
        if (now === 'back') await unmountProject(machine);
        await bootRunning(machine, collect);
        assert.deepEqual([kept(machine), hasAuto(machine)], [[a], false], where);
        await mountProject(machine, 'a');
        await bootRunning(machine, collect);
        assert.deepEqual([kept(machine), hasAuto(machine)], [[], true], where);
        return killed;
      });
    }
    assert.ok(hits > 20, `${hits}`);
  },
);
