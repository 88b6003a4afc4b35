import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { plain } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { type NamespaceTerminal, openNamespaceTerminal } from '../harness/namespaceTerminal.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import { key } from '../harness/script.ts';

// A line that is typed is echoed too, so what is waited for must not stand in it: hence the quotes inside words.
const shells = { bash: ['bash', '--norc', '--noprofile', '-i'], 'busybox ash': ['busybox', 'ash', '-i'] };

for (const [name, command] of Object.entries(shells)) {
  namespaceTest(`${name} on a terminal has job control and complains of nothing`, async () => {
    await installCommands({ busybox: 'busybox-static' });
    await using machine = await makeMachine({ volume: 'none' });
    await using terminal = await openShell(machine, command);
    terminal.send('echo "flags"=$-\r');
    assert.match(await terminal.waitFor(/flags=\w+/), /m/);
    terminal.send('exit 7\r');
    assert.equal(await terminal.ended, 7);
  });
}

namespaceTest('Ctrl-C is one SIGINT to the job in the foreground, and none to the shell', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using terminal = await openShell(machine);
  terminal.send('perl /programs/count-signals.pl\r');
  await terminal.waitFor(/ready/);
  terminal.send(key.controlC);
  await terminal.waitFor(/main got 2\r/);
  await sleep(500);
  terminal.send(key.controlC);
  await terminal.waitFor(/main got 2\r/);
  await sleep(500);
  assert.doesNotMatch(terminal.rest(), /main got/);
  terminal.send(key.controlBackslash);
  await terminal.waitFor(/main got 3\r/);
});

namespaceTest('Ctrl-C is one SIGINT to a main command that is no shell, and to its children', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = plain('perl', '/programs/count-signals.pl');
  await using terminal = await openNamespaceTerminal(machine, { args });
  await terminal.waitFor(/ready/);
  terminal.send(key.controlC);
  await sleep(1000);
  const got = terminal.rest().match(/(main|child) got \d+/g);
  assert.deepEqual(got?.sort(), ['child got 2', 'main got 2']);
});

namespaceTest('Ctrl-Z stops the job alone, and fg brings it back', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using terminal = await openShell(machine);
  terminal.send('sh -c "echo be""gun; sleep 1; echo do""ne"\r');
  await terminal.waitFor(/begun/);
  terminal.send(key.controlZ);
  await terminal.waitFor(/Stopped[\s\S]*prompt> /);
  terminal.send('jobs | wc -l; fg\r');
  await terminal.waitFor(/\b1\b/);
  await terminal.waitFor(/done/);
});

namespaceTest('with TOSTOP set, init can write to the terminal and is not stopped by it', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  // Told to end, it has something to say at this level, and the shell does not give the terminal back.
  const script = 'stty tostop; echo set; kill -TERM 1; sleep 60';
  const args = ['--log-level=debug', ...plain('sh', '-c', script)];
  await using terminal = await openNamespaceTerminal(machine, { args });
  await terminal.waitFor(/set/);
  await terminal.waitFor(/nix-cache-init: info: shutdown/);
  assert.equal(await terminal.ended, 143);
});

namespaceTest('it writes for people on a terminal', async () => {
  await using machine = await makeMachine({ volume: 'directory' });
  const args = ['--strategy=auto', '--daemon-enabled=no', '--', 'true'];
  await using terminal = await openNamespaceTerminal(machine, { args });
  await terminal.waitFor(/^nix-cache-init: warn: nothing is mounted at \/nix-cache: .*\r$/m);
  assert.equal(await terminal.ended, 0);
});

namespaceTest('started in the background of a shell, it leaves the terminal to that', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using terminal = await openNamespaceTerminal(machine, {
    program: ['bash', '--norc', '--noprofile', '-i'],
    args: [],
    env: { PS1: 'prompt> ' },
  });
  await terminal.waitFor(/prompt> /);
  terminal.send('/init --strategy none -- sh -c "echo be""gun; sleep 1; exit 5" & wait $!; echo co""de=$?\r');
  await terminal.waitFor(/begun/);
  await terminal.waitFor(/code=5/);
  // In the foreground it hands it on, and takes it back for the shell.
  terminal.send('/init --strategy none -- bash --norc -ic "echo \\$-; exit 6"; echo co""de=$?\r');
  await terminal.waitFor(/\r\n\w*m\w*\r\n/);
  await terminal.waitFor(/code=6[\s\S]*prompt> /);
  terminal.send('echo still "here"\r');
  await terminal.waitFor(/still here\r/);
});

async function openShell(machine: Machine, command = shells.bash): Promise<NamespaceTerminal> {
  const terminal = await openNamespaceTerminal(machine, {
    args: plain(...command),
    env: { PS1: 'prompt> ' },
  });
  const greeting = await terminal.waitFor(/[\s\S]*prompt> /);
  assert.doesNotMatch(greeting, /terminal process group|job control|tty/);
  return terminal;
}
