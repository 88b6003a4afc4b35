import assert from 'node:assert/strict';
import type { ReadySpec } from '../../src/config/services.ts';
import { bootInNamespace, startBoot } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { acting, logged, said, serving } from '../harness/services.ts';

type Kind = { ready: ReadySpec; acts: string[] };

/** How to be ready, in each way; each with something before it that must not count. */
const kinds: Record<string, Kind> = {
  'a socket': { ready: { socket: '/run/socket' }, acts: ['socket:/run/socket'] },
  'a socket in a directory that is yet to come': {
    ready: { socket: '/run/deep/er/socket' },
    acts: ['mkdir:/run/deep', 'mkdir:/run/deep/er', 'socket:/run/deep/er/socket'],
  },
  'a descriptor': { ready: { fd: 3 }, acts: ['newline:3'] },
  'a descriptor of another number': { ready: { fd: 42 }, acts: ['newline:42'] },
  sd_notify: { ready: { notify: true }, acts: ['notify:READY=1'] },
  'sd_notify in several messages': {
    ready: { notify: true },
    acts: ['notify:STATUS=soon', 'notify:NOTREADY=1', 'notify:STATUS=now\nREADY=1\nMAINPID=4711'],
  },
};

for (const [name, { ready, acts }] of Object.entries(kinds)) {
  namespaceTest(`ready by ${name}: the command waits for just that`, async () => {
    await using machine = await makeMachine({ volume: 'none' });
    await machine.shell('mkfifo tmp/go');
    const web = { ...acting('web', 'say:up', 'await:/tmp/go', 'say:almost', ...acts, 'stay'), ready };
    await using booted = await startBoot(machine, {
      args: ['--log-level=info', ...serving({ web }, 'say:up')],
    });
    await booted.waitForError(/web up/);
    await machine.shell('echo >tmp/go');
    const { exitCode, stderr } = await booted.ended;
    assert.deepEqual(said(stderr), ['web up', 'web almost', 'main up']);
    assert.equal(exitCode, 0);
    assert.ok(logged(stderr).some(({ msg }) => msg === 'service web is ready'));
  });

  namespaceTest(`never ready by ${name}: the timeout, one line, and on`, async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const web = { ...acting('web', 'say:up', 'stay'), ready: { ...ready, timeout: '700ms' } };
    const started = performance.now();
    const { exitCode, stderr } = await bootInNamespace(machine, {
      args: serving({ web }, 'say:up', 'exit:3'),
    });
    assert.ok(performance.now() - started >= 700);
    assert.deepEqual(said(stderr), ['web up', 'main up']);
    assert.equal(exitCode, 3);
    assert.deepEqual(
      logged(stderr).map(({ msg, level }) => [msg, level]),
      [['service web is not ready after 700 ms, going on without it', 50]],
    );
  });

  namespaceTest(`ready by ${name} in a second life: the command waits for that`, async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const web = { ...acting('web', 'once:/tmp/died:1', 'say:again', ...acts, 'stay'), ready };
    const { stderr } = await bootInNamespace(machine, { args: serving({ web }, 'say:up') });
    assert.deepEqual(said(stderr), ['web again', 'main up']);
    assert.deepEqual(logged(stderr), []);
  });

  namespaceTest(`too late by ${name}: the service lives on`, async () => {
    await using machine = await makeMachine({ volume: 'none' });
    await machine.shell('mkfifo tmp/go tmp/end');
    const late = ['await:/tmp/go', ...acts, 'say:still here', 'stay'];
    const web = { ...acting('web', ...late), ready: { ...ready, timeout: '200ms' } };
    await using booted = await startBoot(machine, { args: serving({ web }, 'say:up', 'await:/tmp/end') });
    await booted.waitForError(/main up/);
    await machine.shell('echo >tmp/go');
    await booted.waitForError(/web still here/);
    await machine.shell('echo >tmp/end');
    assert.equal(said((await booted.ended).stderr).filter((line) => line === 'web still here').length, 1);
  });

  namespaceTest(`dead before it was ready by ${name}, for good: nobody waits`, async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const ready60 = { ...ready, timeout: '60s' };
    const web = { ...acting('web', 'exit:9'), ready: ready60, restart: 'never' as const };
    const started = performance.now();
    const { exitCode, stderr } = await bootInNamespace(machine, { args: serving({ web }, 'say:up') });
    assert.ok(performance.now() - started < 30_000);
    assert.deepEqual([exitCode, said(stderr)], [0, ['main up']]);
    assert.deepEqual(
      logged(stderr).map(({ msg }) => msg),
      [
        'service web ended with status 9 and stays ended',
        'service web ended before it was ready, going on without it',
      ],
    );
  });
}

namespaceTest('a socket that is bound but does not listen yet is not ready', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await machine.shell('mkfifo tmp/go');
  const acts = ['bind:/run/socket', 'say:bound', 'await:/tmp/go', 'say:almost', 'listen', 'stay'];
  const web = { ...acting('web', ...acts), ready: { socket: '/run/socket' } };
  await using booted = await startBoot(machine, { args: serving({ web }, 'say:up') });
  await booted.waitForError(/web bound/);
  await machine.shell('echo >tmp/go');
  assert.deepEqual(said((await booted.ended).stderr), ['web bound', 'web almost', 'main up']);
});

namespaceTest('a service may notify as often as it likes, in every life: it never has to wait', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const many = Array.from({ length: 50 }, () => 'notify:WATCHDOG=1');
  const acts = ['notify:READY=1', ...many, 'say:sent', 'once:/tmp/died:1', 'stay'];
  const web = { ...acting('web', ...acts), ready: { notify: true as const } };
  await machine.shell('mkfifo tmp/end');
  await using booted = await startBoot(machine, { args: serving({ web }, 'await:/tmp/end') });
  await booted.waitForError(/web sent[\s\S]*web sent/);
  await machine.shell('echo >tmp/end');
  assert.deepEqual(said((await booted.ended).stderr), ['web sent', 'web sent']);
});

for (const [signal, exitCode] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  namespaceTest(
    `${signal} while it waits for readiness stops what runs, and ends with ${exitCode}`,
    async () => {
      await using machine = await makeMachine({ volume: 'none' });
      const services = {
        // Ready, so that it has its handler when the signal comes.
        one: { ...acting('one', 'on:TERM:0', 'newline:3', 'stay'), ready: { fd: 3 } },
        two: { ...acting('two', 'on:TERM:0', 'say:up', 'stay'), ready: { fd: 3, timeout: '1h' } },
        three: acting('three', 'say:up'),
      };
      await using booted = await startBoot(machine, { args: serving(services, 'say:up') });
      await booted.waitForError(/two up/);
      booted.signal(signal);
      const outcome = await booted.ended;
      assert.deepEqual(said(outcome.stderr), ['two up', 'two got TERM', 'one got TERM']);
      assert.equal(outcome.exitCode, exitCode);
    },
  );
}

namespaceTest('a signal while it waits leaves nothing mounted, and the volume free', async () => {
  await using machine = await makeMachine();
  await fillImage(machine);
  const before = machine.mounts();
  const web = { ...acting('web', 'on:TERM:0', 'say:up', 'stay'), ready: { notify: true as const } };
  for (let boot = 0; boot < 2; boot += 1) {
    const args = [`--services=${JSON.stringify({ web })}`, ...overlay('true')];
    await using booted = await startBoot(machine, { shared: true, args });
    await booted.waitForError(/web up/);
    booted.signal('SIGTERM');
    const { exitCode, stderr } = await booted.ended;
    assert.deepEqual([exitCode, said(stderr)], [143, ['web up', 'web got TERM']]);
    assert.deepEqual(machine.mounts(), before);
  }
});

namespaceTest('a command that cannot be started: the services that wait for it are stopped', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const web = { ...acting('web', 'on:TERM:0', 'newline:3', 'stay'), ready: { fd: 3 } };
  const args = ['--strategy=none', `--services=${JSON.stringify({ web })}`, '--', 'no-such-command'];
  const { exitCode, stderr } = await bootInNamespace(machine, { args });
  assert.equal(exitCode, 127);
  assert.deepEqual(
    said(stderr).map((line) => line.slice(0, 40)),
    ['web got TERM', 'nix-cache-init: run: command not found: '],
  );
});
