import assert from 'node:assert/strict';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { type NamespaceTerminal, openNamespaceTerminal } from '../harness/namespaceTerminal.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

const CTRL_Z = '\x1a';
// No shell with job control: nobody but init could notice that it was stopped.
const beat =
  'perl -e \'$| = 1; $SIG{CONT} = sub { print "contin" . "ued\\n" }; while (1) { print "be" . "at\\n"; select undef, undef, undef, 0.05 }\'';

namespaceTest('Ctrl-Z on a command without a shell suspends init too, and fg resumes both', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using terminal = await underShell(machine);
  terminal.send(`/init --strategy none -- ${beat}\r`);
  await terminal.waitFor(/beat\r\n/);
  terminal.send(CTRL_Z);
  // The shell's own word: it waits for init, and knows nothing of the command.
  await terminal.waitFor(/Stopped[\s\S]*prompt> /);
  terminal.send('fg\r');
  await terminal.waitFor(/continued\r\n[\s\S]*beat/);
  terminal.send('\x03');
  await terminal.waitFor(/prompt> /);
  terminal.send('echo co""de=$?\r');
  await terminal.waitFor(/code=130/);
});

namespaceTest('PID 1 cannot be suspended: its command goes on after Ctrl-Z', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using terminal = await openNamespaceTerminal(machine, {
    args: ['--strategy', 'none', '--', 'sh', '-c', `exec ${beat}`],
  });
  await terminal.waitFor(/beat\r\n/);
  terminal.send(CTRL_Z);
  await terminal.waitFor(/continued\r\n/);
  await terminal.waitFor(/beat\r\n/);
  terminal.send('\x03');
  assert.equal(await terminal.ended, 130);
});

async function underShell(machine: Machine): Promise<NamespaceTerminal> {
  const terminal = await openNamespaceTerminal(machine, {
    program: ['bash', '--norc', '--noprofile', '-i'],
    args: [],
    env: { PS1: 'prompt> ' },
  });
  await terminal.waitFor(/prompt> /);
  return terminal;
}
