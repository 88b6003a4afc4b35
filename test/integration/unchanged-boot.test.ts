import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';

/**
 * What is asked of the image, the volume and our own files; V8's own calls differ from one run to the next. Not what is read of
 * /proc: addresses in its maps have lengths of their own, and any piece can begin with a path.
 */
const ofTheStore = /^(?!read\(\d+<\/proc\/).*["<]\/(nix|run|lower)\b/;

/** Boots on an image with so many paths until nothing is left to do. @returns the calls of the next boot. */
async function callsOfUnchangedBoot(
  rows: number,
  prepare: (machine: Machine) => Promise<Record<string, string>> = async () => ({}),
): Promise<string[]> {
  await using machine = await makeMachine({ volume: 'ext4', size: '512M' });
  await fillImage(machine, { rows });
  const env = await prepare(machine);
  await boot(machine, env);
  await boot(machine, env);
  await boot(machine, env, 'exec strace -D -y -qqq -o /tmp/calls "$@"');
  const calls = readFileSync(machine.path('/tmp/calls'), 'utf8').split('\n');
  // boot.json is written when all is done but for the start of the command.
  const [first, last] = [/^execve\("\/opt\/nix-cache-init/, /"\/run\/nix-cache-init\/boot\.json"/].map(
    (pattern) => calls.findIndex((call) => pattern.test(call)),
  );
  assert.ok(first !== undefined && last !== undefined && 0 < first && first < last);
  return calls.slice(first, last).filter((call) => ofTheStore.test(call));
}

async function boot(machine: Machine, env: Record<string, string>, via = 'exec "$@"'): Promise<void> {
  const { exitCode, stderr } = await bootInNamespace(machine, { args: overlay('true'), env, via });
  assert.equal(exitCode, 0, stderr);
}

const names = (calls: string[]): (string | undefined)[] => calls.map((call) => call.split('(')[0]);

/** Gives a machine its own image as a further lower, too: all of that is to be hidden. */
async function asLower(machine: Machine): Promise<Record<string, string>> {
  await machine.shell('cp -a nix lower');
  return { NIX_CACHE_INIT_LOWERS: '["/lower/store"]' };
}

namespaceTest('an unchanged lower costs a handful of calls more, whatever its size', async () => {
  await installCommands({ strace: 'strace' });
  const without = await callsOfUnchangedBoot(100);
  const few = await callsOfUnchangedBoot(100, asLower);
  const many = await callsOfUnchangedBoot(10_000, asLower);
  assert.deepEqual(names(many), names(few));
  const more = few.length - without.length;
  assert.ok(more > 0 && more <= 24, `${more}: ${few.join('\n')}`);
});

namespaceTest(
  'an unchanged image costs the same system calls, whether it has 100 paths or 100,000',
  async () => {
    await installCommands({ strace: 'strace' });
    const few = names(await callsOfUnchangedBoot(100));
    const many = names(await callsOfUnchangedBoot(100_000));
    assert.ok(few.length > 0);
    assert.deepEqual(many, few);
  },
);
