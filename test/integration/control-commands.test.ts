import assert from 'node:assert/strict';
import { VERSION } from '../../src/control/protocol.ts';
import { connectControl, controlOf, request } from '../harness/controlClient.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';

type Done = { done: { exitCode: number; answer: { findings: unknown[]; looked: string } } };
type Failed = { error: { errno: string } };

namespaceTest('check runs beside the command, with the configuration of init, one at a time', async () => {
  await using nix = await makeNixMachine({ images: ['A'] });
  await using boot = await startRunningBoot(nix.machine, { args: overlay(...idle) });
  const control = controlOf(nix.machine);
  const check = { v: VERSION, do: 'check', contents: true };
  const [first, second] = await Promise.all([request(control, check), request(control, check)]);
  const replies = [first.at(-1), second.at(-1)] as (Done | Failed)[];
  const [done] = replies.filter((reply) => 'done' in reply);
  const [failed] = replies.filter((reply) => 'error' in reply);
  assert.deepEqual([done?.done.exitCode, done?.done.answer.findings], [0, []]);
  assert.match(done?.done.answer.looked ?? '', /mounted from \/nix-cache/);
  assert.equal(failed?.error.errno, 'EBUSY');
  assert.equal(await boot.shell('echo alive'), 'alive');
});

namespaceTest('what is asked of it ends with whoever asked', async () => {
  await using nix = await makeNixMachine({ images: ['A'] });
  // A check that would take its time: what it asks about contents does.
  await nix.machine.shell(
    "mkdir slow; printf '#!/bin/sh\\nexec sleep 200\\n' >slow/nix-hash; chmod +x slow/nix-hash",
  );
  const env = { PATH: '/slow:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' };
  await using boot = await startRunningBoot(nix.machine, { args: overlay(...idle), env });
  const client = await connectControl(controlOf(nix.machine));
  client.write(`${JSON.stringify({ v: VERSION, do: 'check', contents: true })}\n`);
  await boot.shell("until grep -aqs '[n]ix-cache-init.check' /proc/[0-9]*/cmdline; do sleep 0.01; done");
  client.destroy();
  await boot.shell("while grep -aqs '[n]ix-cache-init.check' /proc/[0-9]*/cmdline; do sleep 0.05; done");
});
