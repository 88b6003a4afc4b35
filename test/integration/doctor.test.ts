import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import type * as z from 'zod/mini';
import { reportSchema } from '../../src/doctor/schema.ts';
import { depths, sendAt } from '../harness/injection.ts';
import { bootInNamespace, type NamespaceBoot, startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, type MachineOptions, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import type { Outcome } from '../harness/run.ts';
import { everythingOf } from '../harness/treeSnapshot.ts';
import { untouched } from '../harness/untouched.ts';

const program = ['/opt/nix-cache-init/bin/nix-cache-init', 'doctor'];
const probe = '/nix-cache/.nix-cache-init.doctor';

type Report = z.output<typeof reportSchema>;

async function imageMachine(options: MachineOptions = {}): Promise<Machine> {
  const machine = await makeMachine({ volume: 'ext4', ...options });
  await fillImage(machine, { rows: 20 });
  return machine;
}

const doctor = (
  machine: Machine,
  boot: Omit<NamespaceBoot, 'args'> & { args?: string[] } = {},
): Promise<Outcome> =>
  bootInNamespace(machine, { program, shared: true, ...boot, args: ['--json', ...(boot.args ?? [])] });

/** The report, which is as its schema says. */
function reportOf({ stdout, stderr }: Outcome): Report {
  assert.equal(stderr, '');
  return reportSchema.parse(JSON.parse(stdout));
}

const failed = ({ checks }: Report): string[] => checks.filter(({ ok }) => !ok).map(({ check }) => check);

const find = ({ checks }: Report, name: string): string | undefined =>
  checks.find(({ check }) => check === name)?.found;

const namesOf = (machine: Machine): string[] =>
  readdirSync(machine.path('/nix-cache'), { recursive: true }).map(String).sort();

namespaceTest('doctor leaves nothing behind, on a new volume and on a used one', async () => {
  await using machine = await imageMachine();
  for (const _ of [1, 2]) {
    const [names, mounts] = [namesOf(machine), machine.mounts()];
    const own = existsSync(machine.path('/nix-cache/upper'))
      ? ['upper', 'workdir', 'var', '.nix-cache-init'].map((name) => machine.path(`/nix-cache/${name}`))
      : [];
    const before = own.map(everythingOf);
    const outcome = await doctor(machine);
    assert.equal(outcome.exitCode, 0, outcome.stdout);
    assert.equal(reportOf(outcome).chosen, 'overlay');
    assert.deepEqual([namesOf(machine), machine.mounts()], [names, mounts]);
    assert.deepEqual(own.map(everythingOf), before);
    assert.equal((await bootInNamespace(machine, { args: overlay('true') })).exitCode, 0);
  }
});

namespaceTest('a volume that only reads are allowed of is looked at, and nothing else', async () => {
  await using machine = await imageMachine();
  assert.equal((await bootInNamespace(machine, { args: overlay('true') })).exitCode, 0);
  await machine.shell('mount -o remount,bind,ro nix-cache');
  const refused = await untouched(machine, () => doctor(machine));
  assert.equal(refused.exitCode, 74);
  const reading = await untouched(machine, () => doctor(machine, { args: ['--access=read-only'] }));
  assert.equal(reading.exitCode, 0, reading.stdout);
});

namespaceTest('without a volume and without root it looks all the same, and changes nothing', async () => {
  await using machine = await imageMachine({ volume: 'none' });
  const via = 'exec setpriv --reuid 1000 --regid 1000 --clear-groups "$@"';
  const outcome = await untouched(machine, () => doctor(machine, { via }));
  assert.equal(outcome.exitCode, 78);
  const report = reportOf(outcome);
  assert.deepEqual(failed(report), ['user', 'capability', 'volume', 'nix']);
  assert.equal(report.chosen, 'none');
});

namespaceTest('in a user namespace it is the attributes of users that count', async () => {
  await using machine = await imageMachine({ volume: 'tmpfs' });
  for (const rootless of [true, 'many'] as const) {
    const outcome = await doctor(machine, { rootless, shared: false });
    const report = reportOf(outcome);
    assert.equal(outcome.exitCode, 0, outcome.stdout);
    assert.equal(find(report, 'user namespace'), 'one of its own');
    assert.equal(find(report, 'upper layer'), 'mounted');
  }
});

namespaceTest('a volume whose directories do not say what is in them', async () => {
  await using machine = await imageMachine({ volume: 'directory' });
  await machine.shell(`truncate -s 64M volume.ext4
    mkfs.ext4 -q -O ^filetype volume.ext4
    mount -o loop volume.ext4 nix-cache`);
  const outcome = await doctor(machine);
  assert.equal(outcome.exitCode, 74);
  assert.ok(failed(reportOf(outcome)).includes('d_type'));
  assert.deepEqual(namesOf(machine), ['lost+found']);
});

namespaceTest('upper and workdir on two mounts', async () => {
  await using machine = await imageMachine();
  await machine.shell(
    'mkdir nix-cache/upper nix-cache/workdir; mount --bind nix-cache/workdir nix-cache/workdir',
  );
  const outcome = await doctor(machine);
  assert.equal(outcome.exitCode, 74);
  assert.deepEqual(
    failed(reportOf(outcome)).filter((name) => name !== 'nix'),
    ['layers'],
  );
  assert.notEqual((await bootInNamespace(machine, { args: overlay('true'), shared: true })).exitCode, 0);
});

namespaceTest('who waits for a lock, or only reads, is not kept from it by who holds it', async () => {
  await using machine = await imageMachine();
  await using first = await startBoot(machine, { args: overlay('sh', '-c', 'echo ready; exec sleep 60') });
  await first.waitFor(/ready/);
  // As another container would have it: with a /run of its own.
  const via = 'mount -t tmpfs run /run && exec "$@"';
  const exitCodes = [];
  for (const args of [[], ['--on-locked=wait'], ['--on-locked=read-only'], ['--access=read-only']])
    exitCodes.push((await doctor(machine, { args, via, shared: false })).exitCode);
  assert.deepEqual(exitCodes, [75, 0, 0, 0]);
});

namespaceTest('many at once are in nobody’s way, neither each other’s nor that of a boot', async () => {
  await using machine = await imageMachine();
  const own = 'mount -t tmpfs run /run && exec "$@"';
  const boots = async (): Promise<void> => {
    for (const _ of [1, 2, 3]) {
      const { exitCode, stderr } = await bootInNamespace(machine, { args: overlay('true'), via: own });
      assert.equal(exitCode, 0, stderr);
    }
  };
  const doctors = Array.from({ length: 6 }, async () => {
    const report = reportOf(await doctor(machine, { via: own, shared: false }));
    assert.deepEqual(
      failed(report).filter((name) => name !== 'nix' && name !== 'lock'),
      [],
    );
  });
  await Promise.all([boots(), ...doctors]);
  assert.ok(!existsSync(machine.path(probe)));
});

/** What doctor does on the volume, and what the process that it throws away does. */
const calls = [
  'mkdir',
  'openat',
  'lsetxattr',
  'mknod',
  'renameat2',
  'linkat,link',
  'unlink',
  'rmdir',
  'unshare',
  'mount',
];

namespaceTest(
  'killed at any moment, doctor leaves what the next one or the next boot removes',
  async () => {
    await installCommands({ strace: 'strace' });
    await using machine = await imageMachine();
    assert.equal((await bootInNamespace(machine, { args: overlay('true') })).exitCode, 0);
    const names = namesOf(machine);
    const mounts = machine.mounts();
    let left = 0;
    let next = doctor;
    for (const call of calls) {
      for (const n of depths()) {
        const { exitCode } = await doctor(machine, { via: sendAt(call, n, 'KILL') });
        assert.deepEqual(machine.mounts(), mounts);
        if (exitCode === 0) break;
        // 74: it was the process that tries mounting.
        assert.ok(exitCode === 137 || exitCode === 74, `${call} ${n}: ${exitCode}`);
        if (existsSync(machine.path(probe))) left += 1;
        // In turns.
        const outcome = await next(machine);
        assert.equal(outcome.exitCode, 0, outcome.stderr);
        assert.deepEqual(namesOf(machine), names);
        next = next === doctor ? () => bootInNamespace(machine, { args: overlay('true') }) : doctor;
      }
    }
    // Otherwise nothing was proved.
    assert.ok(left > 5, `${left}`);
  },
  600_000,
);

namespaceTest('what is in the way at the place for trying is removed, as its own', async () => {
  await using machine = await imageMachine();
  mkdirSync(machine.path(`${probe}/work/work`), { recursive: true });
  writeFileSync(machine.path(`${probe}/file`), '');
  assert.equal((await doctor(machine)).exitCode, 0);
  assert.deepEqual(namesOf(machine), ['lost+found']);
});

namespaceTest('a word more than it knows is a wrong use', async () => {
  await using machine = await imageMachine({ volume: 'none' });
  const outcome = await bootInNamespace(machine, { program, args: ['more'] });
  assert.equal(outcome.exitCode, 64);
  assert.match(outcome.stderr, /unexpected argument more/);
});
