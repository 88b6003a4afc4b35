import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { checkAlone, checkBooted, startRunning, tamper, useCache, volumeRows } from '../harness/checking.ts';
import { found, repairOf, reportOf } from '../harness/checkReport.ts';
import { assertFails } from '../harness/failureLine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';

const garble = (path: string): string =>
  `chmod u+w ${path}/unique; echo garbled >${path}/unique; chmod u-w ${path}/unique`;

const upper = (machine: NixMachine, path: string): string =>
  machine.machine.path(`/nix-cache/upper/${path.slice('/nix/store/'.length)}`);

namespaceTest('where Nix runs, what a substituter has is fetched, and only the rest is invalid', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  const [c, e, big] = [await machine.build('c'), await machine.build('e'), await machine.build('big')];
  // Refers to c, and is not what is wrong.
  const d = await machine.build('d');
  await useCache(machine, c, big);
  await using running = await startRunning(machine);
  await running.shell(`rm -r ${c}; ${garble(e)}; chmod u+w ${big}/big; echo garbled >${big}/big`);
  const rows = volumeRows(machine);
  const report = repairOf(await running.check(['--contents', '--repair', '--json']));
  assert.deepEqual(report.findings, []);
  const { fetched, registered, invalidated, swept } = report.repaired;
  assert.deepEqual(fetched, [c, big].sort());
  assert.deepEqual(invalidated, [e]);
  assert.deepEqual([registered, swept], [[], []]);
  assert.deepEqual(report.garbage, [e]);
  const after = volumeRows(machine);
  assert.deepEqual(
    Object.keys(after),
    Object.keys(rows).filter((path) => path !== e),
  );
  for (const path of [c, big]) assert.equal(after[path]?.['hash'], rows[path]?.['hash'], path);
  assert.deepEqual(after[d], rows[d]);
  await running[Symbol.asyncDispose]();
  await machine.verify();
});

namespaceTest('rows of the image that are gone come back, whatever referred to them', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  await machine.build('c');
  const [b, w] = [await machine.build('b'), await machine.build('w')];
  const before = volumeRows(machine);
  await using running = await startRunning(machine);
  // What refers to b or a refers to nothing then.
  tamper(machine, `delete from ValidPaths where path in ('${b}', '${w}') or path like '%-a'`);
  const report = repairOf(await running.check(['--repair', '--json']));
  assert.deepEqual(report.findings, []);
  assert.equal(report.repaired.registered.length, 3);
  const after = volumeRows(machine);
  for (const path of report.repaired.registered) assert.deepEqual(after[path], before[path], path);
  const lost = Object.keys(before).filter((path) => !(path in after));
  // Only their numbers were known of what c refers to.
  assert.deepEqual(lost, report.repaired.invalidated);
  for (const path of lost) assert.ok(existsSync(upper(machine, path)), `${path} is the image's`);
  await running[Symbol.asyncDispose]();
  await machine.verify();
});

namespaceTest(
  'what cannot be changed under a mounted store is told, and repaired beside the volume',
  async () => {
    await using machine = await makeNixMachine({ images: ['A'] });
    await machine.build('c');
    const [b, w] = [await machine.build('b'), await machine.build('w')];
    await using running = await startRunning(machine);
    await running.shell(`rm -r ${w}; touch ${b}/more`);
    const rows = volumeRows(machine);
    const inside = repairOf(await running.check(['--repair', '--json']));
    assert.deepEqual(found(inside), [`hidden ${w}`, `merged ${b}`]);
    assert.match(inside.notes.join(), /restart the container/);
    assert.deepEqual(volumeRows(machine), rows);
    await running[Symbol.asyncDispose]();
    const outside = repairOf(await checkAlone(machine, ['--repair', '--json']));
    assert.deepEqual(outside.findings, []);
    assert.deepEqual(outside.repaired.swept, [w, b]);
    assert.deepEqual(volumeRows(machine), rows);
    await machine.verify();
  },
);

namespaceTest('beside the volume nothing is fetched, and what was right stays as it was', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  const [c, e] = [await machine.build('c'), await machine.build('e')];
  await useCache(machine, c);
  await machine.machine.shell(
    `rm -r nix-cache/upper/${c.slice(11)}; ${garble(`nix-cache/upper/${e.slice(11)}`)}`,
  );
  // As a user may have done.
  tamper(machine, `update ValidPaths set sigs = 'mine' where path like '%-b'`);
  const before = volumeRows(machine);
  const report = repairOf(await checkAlone(machine, ['--contents', '--repair', '--json']));
  assert.deepEqual(report.repaired.invalidated, [e, c].sort());
  assert.deepEqual(report.repaired.fetched, []);
  assert.match(report.notes.join(), /nothing was fetched/);
  const kept = Object.entries(before).filter(([path]) => path !== c && path !== e);
  assert.deepEqual(volumeRows(machine), Object.fromEntries(kept));
  await machine.verify();
  assert.match(await machine.nix(`nix-store --realise ${c}`), /-c$/);
});

namespaceTest('a path of the image itself that is not what it should be is told, and left', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  await machine.build('c');
  const b = await machine.build('b');
  const file = machine.machine.path(`/images/A/store/${b.slice(11)}/share/b`);
  writeFileSync(file, 'garbled');
  for (const run of [checkAlone, checkBooted]) {
    const report = repairOf(await run(machine, ['--contents', '--repair', '--json']));
    assert.deepEqual(found(report), [`modified ${b}`]);
    assert.match(report.notes.join(), /the image itself/);
    assert.deepEqual(report.repaired, { swept: [], fetched: [], registered: [], invalidated: [] });
  }
});

namespaceTest(
  'one at a time: 75 while a container has the volume, or another repair is at work',
  async () => {
    await using machine = await makeNixMachine({ images: ['A'] });
    await machine.build('c');
    await using running = await startRunning(machine);
    for (const flags of [[], ['--repair']]) assertFails(await checkAlone(machine, flags), 75, /in use by/);
    await running.shell('flock /run/nix-cache-init/repair.lock sleep infinity >/dev/null 2>&1 & sleep 1');
    assertFails(await running.check(['--repair']), 75, /wait until that repair is done/);
    assert.deepEqual(reportOf(await running.check(['--json'])).findings, []);
  },
);

namespaceTest('without root it looks, and says that repairing takes root', async () => {
  await using machine = await makeNixMachine({ images: ['A'] });
  const c = await machine.build('c');
  await machine.machine.shell(`rm -r nix-cache/upper/${c.slice(11)}`);
  const via = 'exec setpriv --reuid 1000 --regid 1000 --clear-groups "$@"';
  assert.deepEqual(found(reportOf(await checkAlone(machine, ['--json'], { via }))), [`missing ${c}`]);
  assertFails(await checkAlone(machine, ['--repair'], { via }), 77, /EACCES/);
  const bounded = 'exec setpriv --bounding-set -all --inh-caps -all "$@"';
  const report = repairOf(await checkAlone(machine, ['--repair', '--json'], { via: bounded }));
  assert.deepEqual(report.repaired.invalidated, [c]);
});

namespaceTest('on a full disk a repair fails, and leaves the database as it was', async () => {
  await using machine = await makeNixMachine({ size: '24M' });
  const c = await machine.build('c');
  await machine.machine.shell(`rm -r nix-cache/upper/${c.slice(11)}`);
  const rows = volumeRows(machine);
  await machine.machine.shell('cat /dev/zero >nix-cache/fill 2>/dev/null || true');
  assertFails(await checkAlone(machine, ['--repair']), 74, /ENOSPC/);
  await machine.machine.shell('rm nix-cache/fill');
  assert.deepEqual(volumeRows(machine), rows);
  assert.deepEqual(repairOf(await checkAlone(machine, ['--repair', '--json'])).repaired.invalidated, [c]);
});
