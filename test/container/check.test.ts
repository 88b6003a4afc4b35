import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { found, repairOf, reportOf } from '../harness/checkReport.ts';
import { execOk, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { assertFails } from '../harness/failureLine.ts';
import { nixImage } from '../harness/images.ts';
import { assertStoreIsSound, buildAll, validOf } from '../harness/nix.ts';
import { bare, makeVolume, type Volume } from '../harness/volume.ts';

const check = ['nix-cache-init', 'check', '--json'];
const cache = 'file:///nix-cache/binary-cache';
const asking = ['-e', `NIX_CONFIG=substituters = ${cache}\nrequire-sigs = false`];

const alone = async (image: string, volume: Volume, ...flags: string[]) =>
  await bare(image, [...check, ...flags], '-v', `${volume.name}:/nix-cache`);

const upper = (path: string): string => `/nix-cache/upper/${path.slice('/nix/store/'.length)}`;

async function breakVolume(volume: Volume, script: string): Promise<void> {
  const { exitCode, stderr } = await volume.shell(script);
  assert.equal(exitCode, 0, stderr);
}

for (const suite of suites) {
  containerTest(`${suite}: what was broken on the volume is found, fetched or made invalid`, async () => {
    const image = await nixImage(suite);
    await using volume = await makeVolume();
    const { c, d, e } = await broken(image, volume);
    const before = reportOf(await alone(image, volume, '--contents'));
    assert.deepEqual(found(before), [`missing ${c}`, `modified ${e}`]);

    await using container = await startIdle({ image, volume: volume.name });
    const wrong = reportOf(await container.exec([...check, '--contents']));
    assert.deepEqual(found(wrong), found(before));
    const report = repairOf(await container.exec([...check, '--contents', '--repair'], ...asking));
    assert.deepEqual(report.findings, []);
    assert.deepEqual([report.repaired.fetched, report.repaired.invalidated], [[c], [e]]);
    assert.deepEqual(await validOf(container, [c, d, e]), [c, d]);
    assert.deepEqual(reportOf(await container.exec([...check, '--contents'])).findings, []);
    await assertStoreIsSound(container);
    assert.deepEqual((await buildAll(container, 'c', 'd')).built, []);
  });

  containerTest(`${suite}: of a damaged database what the volume proves is saved`, async () => {
    const image = await nixImage(suite);
    await using volume = await makeVolume();
    const { c, e } = await broken(image, volume);
    await breakVolume(
      volume,
      'dd if=/dev/zero of=/nix-cache/var/nix/db/db.sqlite bs=100 count=1 conv=notrunc',
    );
    const [finding] = reportOf(await alone(image, volume)).findings;
    assert.deepEqual(finding?.kind, 'corrupt');
    {
      await using container = await startIdle({ image, volume: volume.name });
      assertFails(await container.exec([...check, '--repair']), 78, /damaged.*stop the container/);
      assertFails(await alone(image, volume, '--repair'), 75, /in use by/);
    }
    // Of c and what refers to it nothing was left to prove anything.
    await breakVolume(volume, `cp -a /nix-cache/aside ${upper(c)}`);
    const report = repairOf(await alone(image, volume, '--repair'));
    assert.deepEqual(report.findings, []);
    assert.ok(report.repaired.rescued?.registered.includes(c), JSON.stringify(report));
    assert.ok(report.repaired.rescued?.lost.includes(e), JSON.stringify(report));
    await using container = await startIdle({ image, volume: volume.name });
    await assertStoreIsSound(container);
    assert.deepEqual((await buildAll(container, 'c', 'd')).built, []);
  });
}

containerTest('a store without a volume is checked as it is', async () => {
  await using container = await startIdle();
  const { exitCode, stdout } = await container.exec(['nix-cache-init', 'check', '--contents']);
  assert.match(stdout, /^checked \/nix\/store, with \/nix\/var\/nix\/db\/db\.sqlite; there is no volume\n/);
  assert.equal(exitCode, 0, stdout);
});

/** A volume with c, d that refers to c, and e; then c is gone (and kept aside) and e not what it was. */
async function broken(image: string, volume: Volume): Promise<Record<'c' | 'd' | 'e', string>> {
  await using container = await startIdle({ image, volume: volume.name });
  const { paths } = await buildAll(container, 'c', 'd', 'e');
  await execOk(container, 'nix', 'copy', '--to', cache, paths.c);
  await container[Symbol.asyncDispose]();
  await breakVolume(
    volume,
    `mv ${upper(paths.c)} /nix-cache/aside; chmod u+w ${upper(paths.e)}/unique; echo garbled >${upper(paths.e)}/unique`,
  );
  return paths;
}
