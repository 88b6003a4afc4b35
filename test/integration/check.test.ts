import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkAlone, checkBooted, startAlone, startRunning, tamper } from '../harness/checking.ts';
import { found, reportOf } from '../harness/checkReport.ts';
import { childrenOf } from '../harness/namespaceBoot.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { snapshotTree } from '../harness/treeSnapshot.ts';

/** Of the lock the contents are its last holder's name. */
const volume = (machine: NixMachine): Promise<unknown> =>
  snapshotTree(machine.machine.path('/nix-cache'), ['.nix-cache-init/lock']);

/** The path of a derivation, without making anything. */
const drvOf = async (machine: NixMachine, name: string): Promise<string> =>
  await machine.nix(`nix-instantiate /packages.nix -A ${name} 2>/dev/null`);

namespaceTest('a healthy store: nothing wrong, nothing changed, and it says what it looked at', async () => {
  await using machine = await makeNixMachine();
  await machine.build('d');
  const before = await volume(machine);
  for (const flags of [[], ['--contents'], ['--repair'], ['--contents', '--repair']]) {
    const { exitCode, stdout, stderr } = await checkAlone(machine, flags);
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' });
    assert.match(stdout, /^checked the volume \/nix-cache over this image's \/nix\/store, with /);
    assert.match(stdout, /\n\d+ valid paths: nothing wrong(; nothing repaired)?\n$/);
    assert.deepEqual(await volume(machine), before, flags.join(' '));
  }
  await using running = await startRunning(machine);
  const booted = await volume(machine);
  for (const flags of [[], ['--contents'], ['--contents', '--repair']]) {
    const { exitCode, stdout, stderr } = await running.check(flags);
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' });
    assert.match(
      stdout,
      /^checked \/nix\/store as mounted from \/nix-cache, with \/nix\/var\/nix\/db\/db\.sqlite\n/,
    );
    assert.deepEqual(await volume(machine), booted, flags.join(' '));
  }
});

namespaceTest(
  'each thing that can be wrong is found, in a container that runs and beside the volume',
  async () => {
    await using machine = await makeNixMachine();
    const [c, e] = [await machine.build('c'), await machine.build('e')];
    await machine.build('d');
    const [b, w, old] = [await machine.build('b'), await machine.build('w'), await machine.build('old')];
    const drv = await drvOf(machine, 'd');
    const dependency = await drvOf(machine, 'c');
    const wrong = [
      ...[
        `missing ${c}`,
        `broken ${drv}`,
        `unregistered ${old}`,
        `hidden ${w}`,
        `merged ${b}`,
        `modified ${e}`,
      ],
    ];
    await using running = await startRunning(machine);
    await running.shell(`
    rm -r ${c} ${w}
    touch ${b}/more
    chmod u+w ${e}/unique; echo garbled >${e}/unique; chmod u-w ${e}/unique`);
    tamper(machine, `delete from ValidPaths where path in ('${dependency}', '${old}')`);
    const inside = reportOf(await running.check(['--contents', '--json']));
    assert.deepEqual(found(inside), wrong);
    assert.deepEqual(inside.garbage, [dependency]);
    assert.deepEqual(found(reportOf(await running.check(['--json']))), wrong.slice(0, -1));
    await running[Symbol.asyncDispose]();

    const outside = reportOf(await checkAlone(machine, ['--contents', '--json']));
    assert.deepEqual(found(outside), wrong);
    assert.deepEqual(outside.garbage, [dependency]);
    assert.equal(outside.inStep, true);
  },
);

namespaceTest(
  'what waits for an image, and a volume that is not in step with this one, are told',
  async () => {
    await using machine = await makeNixMachine();
    const onOld = await machine.build('on-old');
    await machine.switchImage('B');
    const before = reportOf(await checkAlone(machine, ['--json']));
    assert.equal(before.inStep, false);
    assert.match(before.notes.join(), /not in step with this image/);
    assert.ok(found(before).some((line) => /^missing .*-old$/.test(line)));
    const after = reportOf(await checkBooted(machine, ['--json']));
    assert.deepEqual(after.findings, []);
    assert.ok(after.waiting.includes(onOld), JSON.stringify(after));
  },
);

namespaceTest('a check that takes long can be interrupted, although it is PID 1', async () => {
  await using machine = await makeNixMachine();
  const e = await machine.build('e');
  // Nix reads holes, too.
  await machine.machine.shell(`truncate --size 500G nix-cache/upper/${e.slice(11)}/unique`);
  await using check = await startAlone(machine, ['--contents']);
  while (childrenOf(check.init).length === 0) await sleep(10);
  check.signal('SIGINT');
  const { exitCode, stdout, stderr } = await check.ended;
  assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 130, stdout: '', stderr: '' });
});
