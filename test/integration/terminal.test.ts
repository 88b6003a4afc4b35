import assert from 'node:assert/strict';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { openNamespaceTerminal } from '../harness/namespaceTerminal.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

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
