import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { plain, startBoot } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import { run } from '../harness/run.ts';
import { acting, serving } from '../harness/services.ts';

/** V8 cleans up after the boot; what comes later comes for ever. */
const SETTLE_MS = 3000;

namespaceTest('once booted, init makes no system call at all', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  await using booted = await startBoot(machine, { args: overlay('sh', '-c', 'echo ready; exec sleep 60') });
  await booted.waitFor(/ready/);
  await sleep(SETTLE_MS);
  assert.deepEqual(await systemCalls(booted.init), []);
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
  await sleep(SETTLE_MS);
  assert.deepEqual(await systemCalls(booted.init), []);
});

namespaceTest('someone who polls is seen to do so', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using booted = await startBoot(machine, {
    program: ['perl', '-e'],
    args: ['$| = 1; print "ready\\n"; select(undef, undef, undef, 0.1) while 1'],
  });
  await booted.waitFor(/ready/);
  assert.notDeepEqual(await systemCalls(booted.init), []);
});

namespaceTest('an orphan that ends wakes it, and it goes back to sleep', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const script = '(setsid sleep 4 &); echo ready; exec sleep 60';
  await using booted = await startBoot(machine, { args: plain('sh', '-c', script) });
  await booted.waitFor(/ready/);
  await sleep(SETTLE_MS);
  assert.match((await systemCalls(booted.init)).join('\n'), /wait4/);
});

/** The system calls of all its threads in three seconds; those it was and stayed in are none. */
async function systemCalls(pid: number): Promise<string[]> {
  await installCommands({ strace: 'strace' });
  const strace = ['strace', '-f', '-qq', '-e', 'signal=none', '-p', String(pid)];
  const { stderr } = await run('timeout', ['--signal=INT', '3', ...strace]);
  return stderr
    .split('\n')
    .filter((line) => line !== '' && !/<unfinished \.\.\.>$|<detached \.\.\.>$|^strace: Process/.test(line));
}
