import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { changingCalls } from '../crash/calls.ts';
import {
  checkAlone,
  checkCommand,
  killed,
  startRunning,
  tamper,
  useCache,
  volumeRows,
} from '../harness/checking.ts';
import { found, reportOf } from '../harness/checkReport.ts';
import { depths, killPoints } from '../harness/injection.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { installCommands } from '../harness/packages.ts';

const calls = [...new Set([...changingCalls, 'renameat2', 'fdatasync', 'fchmod', 'mkdirat'])];

/** Breaks a copy of one and the same volume before each attempt, kills the repair at each depth, and repairs again. */
async function killEverywhere(
  machine: NixMachine,
  flags: readonly string[],
  judge: (where: string) => Promise<void>,
): Promise<number> {
  await machine.machine.shell('cp -a nix-cache broken');
  const [file, ...args] = checkCommand(machine, flags);
  const points = await killPoints(calls, file, args);
  let kills = 0;
  for (const point of points) {
    await machine.machine.shell('find nix-cache -mindepth 1 -delete; cp -a broken/. nix-cache');
    const outcome = await killed(point, file, args);
    if (outcome === 'killed') kills += 1;
    await judge(`${outcome} at call ${point.n} of ${point.call}`);
  }
  return kills;
}

namespaceTest(
  'killed at any system call, a repair can be done again, and nothing that was right is lost',
  async () => {
    await installCommands({ strace: 'strace' });
    await using machine = await makeNixMachine({ images: ['A'] });
    const [c, d, e] = [await machine.build('c'), await machine.build('d'), await machine.build('e')];
    const w = await machine.build('w');
    const before = volumeRows(machine);
    const right = Object.keys(before).filter((path) => ![c, d, e].includes(path));
    tamper(machine, `delete from ValidPaths where path = '${w}'`);
    await machine.machine.shell(`
      rm -r nix-cache/upper/${c.slice(11)}
      chmod u+w nix-cache/upper/${e.slice(11)}/unique; echo garbled >nix-cache/upper/${e.slice(11)}/unique`);
    const kills = await killEverywhere(machine, ['--contents', '--repair'], async (where) => {
      const report = reportOf(await checkAlone(machine, ['--contents', '--repair', '--json']));
      assert.deepEqual(found(report), [], where);
      assert.deepEqual(Object.keys(volumeRows(machine)), right, where);
      // Of d only what it refers to was wrong.
      assert.deepEqual(report.waiting, [d], where);
    });
    assert.ok(kills > 30, `${kills}`);
    await machine.verify();
  },
  900_000,
);

namespaceTest(
  'killed at any system call, a rescue can be done again, and saves the same',
  async () => {
    await installCommands({ strace: 'strace' });
    await using machine = await makeNixMachine({ images: ['A'] });
    await machine.build('d');
    const before = Object.keys(volumeRows(machine));
    const file = machine.machine.path('/nix-cache/var/nix/db/db.sqlite');
    writeFileSync(file, readFileSync(file).fill(0, 0, 4096));
    const kills = await killEverywhere(machine, ['--repair'], async (where) => {
      assert.deepEqual(found(reportOf(await checkAlone(machine, ['--repair', '--json']))), [], where);
      assert.deepEqual(Object.keys(volumeRows(machine)), before, where);
      assert.ok(!existsSync(machine.machine.path('/nix-cache/.nix-cache-init/rescue')), where);
    });
    assert.ok(kills > 35, `${kills}`);
    await machine.verify();
  },
  900_000,
);

namespaceTest(
  'killed where Nix runs, nothing is lost that was right: the next repair puts it back',
  async () => {
    await installCommands({ strace: 'strace' });
    await using machine = await makeNixMachine({ images: ['A'] });
    const [c, d] = [await machine.build('c'), await machine.build('d')];
    await useCache(machine, c);
    const rows = volumeRows(machine);
    await using running = await startRunning(machine);
    let kills = 0;
    for (const call of ['write', 'pwrite64', 'rename', 'fsync', 'fdatasync', 'ftruncate', 'unlink']) {
      for (const n of depths()) {
        await running.shell(`rm -r ${c}`);
        const outcome = await running.killedCheck(['--repair'], { call, n });
        const where = `${outcome} at call ${n} of ${call}`;
        assert.deepEqual(found(reportOf(await running.check(['--repair', '--json']))), [], where);
        // Killed after it was made invalid, c is no longer known to be wanted; d is.
        await running.shell(`nix-store --realise ${c}`);
        const report = reportOf(await running.check(['--contents', '--repair', '--json']));
        assert.deepEqual([found(report), report.waiting], [[], []], where);
        const after = volumeRows(machine);
        assert.deepEqual(Object.keys(after), Object.keys(rows), where);
        assert.deepEqual(after[d], rows[d], where);
        if (outcome === 'completed') break;
        kills += 1;
      }
    }
    assert.ok(kills > 10, `${kills}`);
  },
  900_000,
);
