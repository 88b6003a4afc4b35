import assert from 'node:assert/strict';
import { reportSchema } from '../../src/control/report.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';

const cli = '/usr/local/bin/nix-cache-init';

namespaceTest('status says what is so: strategy, layers, image, volume, command', async () => {
  await using machine = await makeMachine({ volume: 'ext4', size: '64M' });
  await fillImage(machine, { rows: 10 });
  await using boot = await startRunningBoot(machine, { args: overlay(...idle) });
  const report = reportSchema.parse(JSON.parse(await boot.shell(`${cli} status --json`)));
  console.log(report);
  console.log(await boot.shell(`${cli} status`));
  console.log(await boot.shell(`${cli} wait --json`));
  console.log(await boot.shell(`${cli} logs`));
  console.log(await boot.attempt(`${cli} restart bogus`));
  console.log(await boot.attempt(`${cli} stop`));
  console.log(await boot.booted.ended);
  assert.equal(1, 1);
});
