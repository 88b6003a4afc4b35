import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { checkAlone, volumeRows } from '../harness/checking.ts';
import { found, repairOf, reportOf } from '../harness/checkReport.ts';
import { assertFails } from '../harness/failureLine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';

const database = ({ machine }: NixMachine): string => machine.path('/nix-cache/var/nix/db/db.sqlite');

const zero = (file: string, from: number, to: number): void => {
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0, from, to));
};

/** Everything that was cached proves itself, so that only the damage decides what is saved. */
const damages: [what: string, damage: (file: string) => void, all: boolean][] = [
  ['its header is zeros', (file) => zero(file, 0, 100), true],
  ['its first page is zeros', (file) => zero(file, 0, 4096), true],
  ['it is cut in the middle', (file) => truncateSync(file, readFileSync(file).length / 2), false],
  [
    'half of it is zeros',
    (file) => zero(file, readFileSync(file).length / 2, readFileSync(file).length),
    false,
  ],
  ['it is empty', (file) => truncateSync(file), false],
  ['it is something else', (file) => writeFileSync(file, 'not a database at all'), false],
  ['it is not there', (file) => rmSync(file), false],
];

for (const [what, damage, all] of damages) {
  namespaceTest(`a database is replaced, and the cached paths saved as far as can be: ${what}`, async () => {
    await using machine = await makeNixMachine();
    await machine.build('d');
    await machine.build('e');
    const before = volumeRows(machine);
    damage(database(machine));
    const damaged = readIfThere(database(machine));
    const [finding] = reportOf(await checkAlone(machine, ['--json'])).findings;
    assert.equal(finding?.kind, 'corrupt');

    const report = repairOf(await checkAlone(machine, ['--repair', '--json']));
    assert.deepEqual(found(report), []);
    assert.equal(report.inStep, true);
    const { aside = '', registered = [], lost = [] } = report.repaired.rescued ?? {};
    assert.deepEqual(readIfThere(machine.machine.path(`${aside}/db.sqlite`)), damaged);
    const after = volumeRows(machine);
    for (const [path, row] of Object.entries(after)) assert.deepEqual(row, before[path], path);
    assert.deepEqual(
      Object.keys(before).filter((path) => !(path in after)),
      lost,
    );
    if (all) assert.deepEqual(lost, []);
    assert.deepEqual(registered.length + lost.length, cached(machine).length);
    assert.deepEqual(report.garbage, lost);
    await machine.verify();
  });
}

namespaceTest('a row that cannot prove itself is not saved, nor what refers to it', async () => {
  await using machine = await makeNixMachine();
  const [c, d, e] = [await machine.build('c'), await machine.build('d'), await machine.build('e')];
  zero(database(machine), 0, 100);
  const unique = `nix-cache/upper/${c.slice(11)}/unique`;
  await machine.machine.shell(`chmod u+w ${unique}; echo garbled >${unique}`);
  const { rescued } = repairOf(await checkAlone(machine, ['--repair', '--json'])).repaired;
  assert.deepEqual(rescued?.lost, [c, d].sort());
  assert.ok(rescued?.registered.includes(e));
  await machine.verify();
});

namespaceTest(
  'a boot that has to read a damaged database refuses it with that remedy, which helps',
  async () => {
    await using machine = await makeNixMachine();
    const onOld = await machine.build('on-old');
    const c = await machine.build('c');
    zero(database(machine), 0, 4096);
    await machine.switchImage('B');
    assertFails(await machine.boot(['true']), 78, /check --repair/);
    const report = repairOf(await checkAlone(machine, ['--repair', '--json']));
    assert.deepEqual(report.findings, []);
    // The image has c now, and lacks what the other refers to.
    assert.ok(!report.repaired.rescued?.lost.includes(c));
    assert.ok(report.repaired.rescued?.lost.includes(onOld));
    assert.equal((await machine.boot(['true'])).exitCode, 0);
    await machine.verify();
  },
);

namespaceTest(
  'a rescue that finds the disk full leaves everything as it was, and works when there is room',
  async () => {
    await using machine = await makeNixMachine({ size: '48M' });
    await machine.build('d');
    zero(database(machine), 0, 100);
    const before = readFileSync(database(machine));
    await machine.machine.shell('cat /dev/zero >nix-cache/fill 2>/dev/null || true');
    assertFails(await checkAlone(machine, ['--repair']), 74, /ENOSPC/);
    assert.deepEqual(readFileSync(database(machine)), before);
    await machine.machine.shell('rm nix-cache/fill');
    const { rescued } = repairOf(await checkAlone(machine, ['--repair', '--json'])).repaired;
    assert.deepEqual(rescued?.lost, []);
    assert.deepEqual(readdirSync(machine.machine.path('/nix-cache/.nix-cache-init/trash')).length, 1);
    await machine.verify();
  },
);

const cached = ({ machine }: NixMachine): string[] => readdirSync(machine.path('/nix-cache/upper'));

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
