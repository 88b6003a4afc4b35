import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { bootInNamespace, plain, startBoot } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

/** In hexadecimal, one to a line, so that no byte gets lost on the way. */
const showArguments = ['perl', '-e', 'print unpack("H*", $_), "\\n" for @ARGV', '--'];
const showEnvironment = ['perl', '-e', 'open(F, "/proc/self/environ"); local $/; print unpack("H*", <F>)'];

const hex = (text: string): string => Buffer.from(text).toString('hex');

namespaceTest('arguments arrive as they are: empty ones, spaces, dashes, our own flags', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const words = [
    '',
    ' two  words ',
    '--',
    '-x',
    '--strategy',
    '--help',
    '*',
    "it's",
    'line\nbreak',
    'ünïcode',
  ];
  const outcome = await bootInNamespace(machine, { args: plain(...showArguments, ...words, '') });
  assert.equal(outcome.stdout, [...words, ''].map((word) => `${hex(word)}\n`).join(''));
});

namespaceTest('arguments that are no UTF-8 arrive byte for byte', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const via = 'exec "$@" "$(printf \'\\377\\376 x\\351\')" plain';
  const outcome = await bootInNamespace(machine, { via, args: plain(...showArguments, '') });
  assert.equal(outcome.stdout, `\nfffe2078e9\n${hex('plain')}\n`);
});

namespaceTest('the environment arrives byte for byte, in its order', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  // Nothing, a line break, bytes that are no UTF-8, and what Node or the loader would take for themselves.
  const variables = [
    ...['Z=1', 'A=2', 'EMPTY=', 'LINES=a\\nb', 'BYTES=\\377\\376'],
    ...['NODE_OPTIONS=--no-such-option', 'NODE_DEBUG=net', 'LD_LIBRARY_PATH=/no/such'],
  ];
  const pairs = variables.map((text) => `"$(printf '${text}')"`).join(' ');
  const setting = `exec env -i PATH=/usr/bin:/bin ${pairs} "$@"`;
  const program = ['sh', '-c', setting, 'sh'];
  const { stdout } = await bootInNamespace(machine, {
    program: [...program, '/init'],
    args: plain(...showEnvironment),
  });
  const direct = await bootInNamespace(machine, { program, args: showEnvironment });
  assert.match(direct.stdout, new RegExp(`${hex('BYTES=')}fffe00`));
  assert.equal(stdout, direct.stdout);
});

namespaceTest('the working directory is kept for the command, and init does not stay in it', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  mkdirSync(machine.path('/some/where'), { recursive: true });
  await using booted = await startBoot(machine, {
    via: 'cd "/some/where"; exec "$@"',
    args: plain('sh', '-c', 'pwd -P; exec sleep 60'),
  });
  await booted.waitFor(/^\/some\/where$/m);
  assert.equal(readlinkSync(`/proc/${booted.init}/cwd`), machine.root);
});

namespaceTest('other open files are the command’s alone', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  writeFileSync(machine.path('/seven'), 'from file seven\n');
  await using booted = await startBoot(machine, {
    // dash knows no numbers above 9.
    via: `exec bash -c 'exec 7</seven 93</seven; exec "$@"' bash "$@"`,
    args: plain('sh', '-c', 'readlink /proc/$$/fd/7 /proc/$$/fd/93; cat <&7; echo ready; exec sleep 60'),
  });
  await booted.waitFor(/ready/);
  assert.equal(booted.output(), '/seven\n/seven\nfrom file seven\nready\n');
  const kept = readdirSync(`/proc/${booted.init}/fd`).map((fd) =>
    readlinkSync(`/proc/${booted.init}/fd/${fd}`),
  );
  assert.deepEqual(
    kept.filter((target) => target.includes('seven')),
    [],
  );
});

namespaceTest('the command starts with no signal blocked or ignored', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const outcome = await bootInNamespace(machine, { args: plain('grep', '^Sig[BI]', '/proc/self/status') });
  const none = '0'.repeat(16);
  assert.equal(outcome.stdout, `SigBlk:\t${none}\nSigIgn:\t${none}\n`);
});

namespaceTest('the command starts in a process group of its own', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const script = 'print getpgrp() == $$ ? "leader" : "member"';
  const outcome = await bootInNamespace(machine, { args: plain('perl', '-e', script) });
  assert.equal(outcome.stdout, 'leader');
});

const standardInputs = { closed: '<&-', '/dev/null': '</dev/null', 'a file': '</etc/passwd' };
for (const [name, redirection] of Object.entries(standardInputs)) {
  namespaceTest(`it starts with ${name} for standard input`, async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const via = `exec "$@" ${redirection}`;
    const args = plain('sh', '-c', 'readlink /proc/self/fd/0; echo started; exit 6');
    const outcome = await bootInNamespace(machine, { via, args });
    assert.match(outcome.stdout, /started/);
    assert.deepEqual([outcome.exitCode, outcome.stderr], [6, '']);
  });
}

namespaceTest('it starts with all three standard descriptors closed', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = plain('sh', '-c', 'echo ran >/tmp/ran; exit 6');
  const outcome = await bootInNamespace(machine, { via: 'exec "$@" <&- >&- 2>&-', args });
  assert.equal(outcome.exitCode, 6);
  assert.equal(readFileSync(machine.path('/tmp/ran'), 'utf8'), 'ran\n');
});

namespaceTest('a command and a working directory whose names are no UTF-8 are found', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await machine.shell(`
    directory="tmp/$(printf 'caf\\351')"; mkdir "$directory"
    program="tmp/$(printf 'prog\\351')"; printf '#!/bin/sh\necho ran\n' >"$program"; chmod +x "$program"`);
  const there = await bootInNamespace(machine, {
    via: 'cd /tmp/caf*; exec "$@"',
    args: plain('perl', '-MCwd', '-e', 'print unpack("H*", getcwd())'),
  });
  assert.equal(there.stdout, `${hex('/tmp/caf')}e9`, there.stderr);
  const run = await bootInNamespace(machine, { via: 'exec "$@" /tmp/prog*', args: plain() });
  assert.equal(run.stdout, 'ran\n', run.stderr);
});

namespaceTest('it starts in a working directory that has been removed', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const via = 'mkdir /gone; cd /gone; rmdir /gone; exec "$@"';
  const outcome = await bootInNamespace(machine, { via, args: plain('echo', 'started') });
  assert.deepEqual(outcome, { exitCode: 0, stdout: 'started\n', stderr: '' });
});

namespaceTest('standard streams that are pipes stay blocking, or the command would lose output', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const script = 'grep -h ^flags /proc/self/fdinfo/0 /proc/self/fdinfo/1 /proc/self/fdinfo/2';
  const outcome = await bootInNamespace(machine, {
    via: 'echo | "$@" 2>&1 | cat',
    args: plain('sh', '-c', script),
  });
  const flags = [...outcome.stdout.matchAll(/\t(\d+)$/gm)].map(([, octal]) =>
    Number.parseInt(octal ?? '', 8),
  );
  const O_NONBLOCK = 0o4000;
  assert.deepEqual(
    flags.map((flag) => flag & O_NONBLOCK),
    [0, 0, 0],
  );
});

namespaceTest('LISTEN_PID, where it named init, names the command', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const outcome = await bootInNamespace(machine, {
    env: { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
    args: plain('sh', '-c', '[ "$LISTEN_PID" = $$ ] && echo "$LISTEN_FDS $LISTEN_FDNAMES"'),
  });
  assert.equal(outcome.stdout, '1 web\n');
});
