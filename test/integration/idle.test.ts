import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBoot } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { SETTLE_MS, systemCalls } from '../harness/systemCalls.ts';

namespaceTest('once booted with an overlay, init makes no system call at all', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  await using booted = await startBoot(machine, { args: overlay('sh', '-c', 'echo ready; exec sleep 60') });
  await booted.waitFor(/ready/);
  await sleep(SETTLE_MS);
  assert.deepEqual(await systemCalls(booted.init), []);
});
