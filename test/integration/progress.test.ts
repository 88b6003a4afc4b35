import assert from 'node:assert/strict';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { openNamespaceTerminal } from '../harness/namespaceTerminal.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';

/** A disk on which giving a file its owner takes a while: a seeding of a few seconds. */
const slowly = 'exec strace -D -f -qqq -o /dev/null -e trace=lchown -e inject=lchown:delay_exit=60000 "$@"';

namespaceTest('a long seeding says how far it is in log lines, away from a terminal', async () => {
  await using machine = await imageMachine();
  const { exitCode, stderr } = await bootInNamespace(machine, { via: slowly, args: overlay('true') });
  assert.equal(exitCode, 0, stderr);
  const lines = stderr.trim().split('\n');
  assert.ok(lines.length >= 1);
  for (const line of lines) assert.match(line, /"msg":"copying the Nix database to the volume: \d+ %"/);
});

namespaceTest('a long seeding shows a bar on a terminal, and wipes it', async () => {
  await using machine = await imageMachine();
  await using terminal = await openNamespaceTerminal(machine, {
    via: slowly,
    args: overlay('sh', '-c', 'echo here'),
  });
  await terminal.waitFor(/copying the Nix database to the volume \[#* *\] +\d+ %/);
  assert.ok((await terminal.waitFor(/[^\n]*here/)).includes('\r\u001b[Khere'));
  assert.equal(await terminal.ended, 0);
});

namespaceTest('a quick seeding says nothing', async () => {
  await using machine = await imageMachine();
  assert.equal((await bootInNamespace(machine, { args: overlay('true') })).stderr, '');
});

async function imageMachine(): Promise<Machine> {
  await installCommands({ strace: 'strace', script: 'bsdutils' });
  const machine = await makeMachine();
  await fillImage(machine, { rows: 40 });
  return machine;
}
