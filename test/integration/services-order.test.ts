import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootInNamespace, startBoot } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { openNamespaceTerminal } from '../harness/namespaceTerminal.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { key } from '../harness/script.ts';
import { acting, said, serving } from '../harness/services.ts';

namespaceTest(
  'each starts when the one before is ready, the command last; they stop in reverse',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    await machine.shell('mkfifo tmp/a tmp/b');
    const end = ['on:TERM:0', 'say:up'];
    // Told at the same time, they would answer in another order.
    const slowEnd = (ms: number): string[] => [`slowly:TERM:${ms}`, 'say:up'];
    const services = {
      zebra: {
        ...acting('zebra', ...end, 'await:/tmp/a', 'socket:/run/zebra', 'stay'),
        ready: { socket: '/run/zebra' },
      },
      bee: { ...acting('bee', ...slowEnd(100), 'await:/tmp/b', 'newline:3', 'stay'), ready: { fd: 3 } },
      ant: acting('ant', ...slowEnd(200), 'stay'),
    };
    await using booted = await startBoot(machine, { args: serving(services, 'on:TERM:7', 'say:up', 'stay') });
    await booted.waitForError(/zebra up/);
    await sleep(300);
    assert.deepEqual(said(booted.errors()), ['zebra up']);
    await machine.shell('echo >tmp/a');
    await booted.waitForError(/bee up/);
    await sleep(300);
    assert.deepEqual(said(booted.errors()), ['zebra up', 'bee up']);
    await machine.shell('echo >tmp/b');
    // Nothing orders the first words of the last two: ant is ready once started.
    await booted.waitForError(/(ant|main) up[\s\S]*(ant|main) up/);
    booted.signal('SIGTERM');
    const { exitCode, stdout, stderr } = await booted.ended;
    assert.deepEqual([exitCode, stdout], [7, '']);
    assert.deepEqual(said(stderr).slice(4), [
      'main got TERM',
      'ant got TERM',
      'bee got TERM',
      'zebra got TERM',
    ]);
  },
);

namespaceTest('the output of services goes to stderr, and the command has its own to itself', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await machine.shell('mkfifo tmp/go');
  const chatty = {
    ...acting('chatty', 'print:on stdout', 'say:on stderr', 'newline:5', 'stay'),
    ready: { fd: 5 },
  };
  const { stdout, stderr } = await bootInNamespace(machine, {
    args: serving({ chatty }, 'print:of the command'),
  });
  assert.equal(stdout, 'main of the command\n');
  assert.deepEqual(said(stderr), ['chatty on stdout', 'chatty on stderr']);
});

namespaceTest('they get init’s environment and their own, but nobody else’s sockets', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const names = ['A', 'B', 'NIX_REMOTE', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'NOTIFY_SOCKET'];
  const web = {
    ...acting('web', ...names.map((name) => `env:${name}`), 'newline:3', 'stay'),
    env: { B: 'of the service', C: '' },
    ready: { fd: 3 },
  };
  const env = { A: 'of init', B: 'of init', NIX_REMOTE: 'daemon', LISTEN_FDS: '1', LISTEN_FDNAMES: 'x' };
  const { stderr } = await bootInNamespace(machine, {
    env: { ...env, NOTIFY_SOCKET: '/x', LISTEN_PID: '4711' },
    args: serving({ web }),
  });
  const expected = ['of init', 'of the service', 'daemon', 'unset', 'unset', 'unset', 'unset'];
  assert.deepEqual(
    said(stderr),
    names.map((name, index) => `web ${name}=${expected[index]}`),
  );
});

namespaceTest('a service starts in / with nothing to read, and none of the command’s files', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const script =
    'echo "cwd $(pwd)" >&2; for fd in 0 3 7; do echo "$fd $(readlink /proc/$$/fd/$fd)" >&2; done; echo >&4; sleep 60';
  const web = { command: 'sh', args: ['-c', script], ready: { fd: 4 } };
  const outcome = await bootInNamespace(machine, {
    via: 'cd /tmp; exec 7</etc/passwd; exec "$@"',
    args: serving({ web }),
  });
  assert.deepEqual(said(outcome.stderr), ['cwd /', '0 /dev/null', '3 /dev/null', '7 ']);
});

namespaceTest('a service listens on a socket that was there before it, and survives it', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const web = { ...acting('web', 'env:LISTEN_FDS', 'accept:3', 'exit:0'), listen: '/run/web/socket' };
  const client = (word: string): string =>
    `perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un("/run/web/socket")) or die $!;
      syswrite S, "${word}\\n"; sysread S, $_, 1'`;
  const args = ['--strategy=none', `--services=${JSON.stringify({ web })}`, '--'];
  const outcome = await bootInNamespace(machine, {
    args: [...args, 'sh', '-c', `${client('one')}; ${client('two')}; test -S /run/web/socket`],
  });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  const words = said(outcome.stderr).filter((line) => line.includes('heard'));
  assert.deepEqual(words, ['web heard one', 'web heard two']);
  assert.throws(() => readlinkSync(machine.path('/run/web/socket')), { code: 'ENOENT' });
});

namespaceTest(
  'Ctrl-C is the command’s: a service is in a session of its own, without the terminal',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const acts = ['on:INT:0', 'on:HUP:0', 'session', 'newline:3', 'stay'];
    const web = { ...acting('web', ...acts), ready: { fd: 3 } };
    await using terminal = await openNamespaceTerminal(machine, {
      args: serving({ web }, 'on:INT:5', 'say:ready', 'stay'),
    });
    await terminal.waitFor(/web own session, no terminal[\s\S]*main ready/);
    terminal.send(key.controlC);
    await terminal.waitFor(/main got INT/);
    assert.equal(await terminal.ended, 5);
    assert.doesNotMatch(terminal.rest(), /web got/);
  },
);
