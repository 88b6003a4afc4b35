import assert from 'node:assert/strict';
import { checkAlone, program } from '../harness/checking.ts';
import { found, reportOf } from '../harness/checkReport.ts';
import { localOverlay } from '../harness/localOverlay.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { buildLine } from '../harness/nix.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import type { Outcome } from '../harness/run.ts';
import { idle, type RunningBoot, startRunningBoot } from '../harness/runningBoot.ts';
import { snapshotTree } from '../harness/treeSnapshot.ts';

/** What an overlay has on the volume. */
const layersOf = ({ machine }: NixMachine): Promise<unknown> =>
  Promise.all(['upper', 'var'].map((name) => snapshotTree(machine.path(`/nix-cache/${name}`), [])));

/** As `docker exec` runs it, which does not know what flags /init had. */
const check = (running: RunningBoot, ...flags: string[]): Promise<Outcome> =>
  running.exec([program, 'check', ...flags]);

const running = ({ machine }: NixMachine, ...flags: string[]): Promise<RunningBoot> =>
  startRunningBoot(machine, { args: [...flags, '--on-unsupported', 'fail', '--', ...idle] });

namespaceTest(
  'local-overlay: what is wrong is found and repaired, in a container and beside the volume',
  async () => {
    await using nix = await makeNixMachine();
    await using container = await running(nix, ...localOverlay());
    const [c = '', e = ''] = (await container.shell(buildLine('c', 'e'))).split('\n');
    assert.match(
      (await check(container, '--contents')).stdout,
      /^checked \/nix\/store as mounted .*: nothing wrong$/s,
    );
    await container.shell(`rm -r ${c}; chmod u+w ${e}/unique; echo garbled >${e}/unique`);
    const wrong = await check(container, '--contents', '--json');
    assert.deepEqual(found(reportOf(wrong)), [`missing ${c}`, `modified ${e}`]);
    const repaired = await check(container, '--contents', '--repair', '--json');
    assert.equal(repaired.exitCode, 0, repaired.stderr);
    await container.shell(`! nix-store --check-validity ${c}; ! nix-store --check-validity ${e}`);
    assert.match(await container.shell(buildLine('c')), /-c$/);
    await container.shell(`rm -r ${c}`);
    await container[Symbol.asyncDispose]();
    const beside = ['--strategy', 'local-overlay', '--json'];
    assert.deepEqual(found(reportOf(await checkAlone(nix, beside))), [`missing ${c}`]);
    assert.equal((await checkAlone(nix, [...beside, '--repair'])).exitCode, 0);
    await using again = await running(nix, ...localOverlay());
    await again.shell(
      `! nix-store --check-validity ${c}; nix-store --verify --check-contents; ${buildLine('c')}`,
    );
  },
);

namespaceTest(
  'substituter: the container’s own store is checked and repaired, never an overlay’s volume',
  async () => {
    await using nix = await makeNixMachine();
    const cached = await nix.build('d');
    await using container = await running(nix, '--strategy', 'substituter');
    const path = await container.shell(buildLine('d'));
    assert.equal(path, cached);
    const before = await layersOf(nix);
    const healthy = await check(container);
    assert.match(healthy.stdout, /^checked \/nix\/store of this container, with .*: nothing wrong$/s);
    await container.shell(`rm -r ${path}`);
    assert.deepEqual(found(reportOf(await check(container, '--json'))), [`missing ${path}`]);
    const repaired = await check(container, '--repair');
    assert.equal(repaired.exitCode, 0, `${repaired.stdout}\n${repaired.stderr}`);
    assert.deepEqual(await layersOf(nix), before);
    // From the binary cache on the volume.
    await container.shell(`test -e ${path}/c`);
    await container[Symbol.asyncDispose]();
    await nix.switchImage('A');
    const again = await nix.boot(['sh', '-euc', buildLine('d')]);
    assert.equal(again.stdout.trim(), cached);
    assert.doesNotMatch(again.stderr, /building '/);
  },
);

namespaceTest('host: refused with the reason, and the volume beside it left alone', async () => {
  await using nix = await makeNixMachine();
  await nix.build('c');
  const before = await layersOf(nix);
  for (const flags of [[], ['--repair']]) {
    const { exitCode, stdout, stderr } = await checkAlone(nix, ['--strategy', 'host', ...flags]);
    assert.deepEqual([exitCode, stdout], [78, '']);
    assert.match(
      stderr,
      /^nix-cache-init: check: \/nix\/store is the host's store \(strategy host\), .*: EXDEV \(on the host: nix-store --verify/m,
    );
  }
  assert.deepEqual(await layersOf(nix), before);
});
