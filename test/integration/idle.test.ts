import assert from 'node:assert/strict';
import { startBoot } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { acting, serving } from '../harness/services.ts';
import { idleCalls } from '../harness/systemCalls.ts';

namespaceTest('once booted with an overlay, init makes no system call at all', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  await using booted = await startBoot(machine, { args: overlay('sh', '-c', 'echo ready; exec sleep 60') });
  await booted.waitFor(/ready/);
  assert.deepEqual(await idleCalls(booted.init, 10), []);
});

namespaceTest('with services, whatever their readiness, init makes no system call either', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const services = {
    socket: { ...acting('socket', 'socket:/run/socket', 'stay'), ready: { socket: '/run/socket' } },
    fd: { ...acting('fd', 'newline:3', 'stay'), ready: { fd: 3 } },
    notify: { ...acting('notify', 'notify:READY=1', 'stay'), ready: { notify: true as const } },
    late: { ...acting('late', 'stay'), ready: { notify: true as const, timeout: '100ms' } },
    never: { ...acting('never', 'stay'), ready: { socket: '/run/never', timeout: '100ms' } },
    talkative: {
      ...acting('talkative', 'notify:READY=1', 'again:100:notify:WATCHDOG=1'),
      ready: { notify: true as const },
    },
  };
  await using booted = await startBoot(machine, { args: serving(services, 'say:up', 'stay') });
  await booted.waitForError(/main up/);
  assert.deepEqual(await idleCalls(booted.init), []);
});
