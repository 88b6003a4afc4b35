import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import { repository } from '../harness/paths.ts';

const page = 'docs/system-calls.md';

/** Our first line asks for this, and boot.json is written again when the command runs. */
const first = /^readlink\("\/proc\/self\/ns\/pid"/;
const record = /^openat\(AT_FDCWD<[^>]*>, "\/run\/nix-cache-init\/boot\.json\.new"/;

/** What takes a path; what is done with a descriptor then follows from it. */
const asked =
  /^(openat|statx|newfstatat|access|readlink|mkdir|rmdir|unlink|rename|chmod|chdir|mount|bind)\((?:AT_FDCWD<[^>]*>, |\d+<[^>]*>, )?(?:\{sa_family=AF_UNIX, sun_path=)?"([^"]+)"(?:\}, \d+|, "([^"]*)")?/;

/** glibc counts processors when two threads of Node want memory at the same instant (malloc's arenas), which is not at each boot. */
const ofMalloc = ['open /sys/devices/system/cpu/online', 'open /proc/stat'];

/** A call as the page names it: a mount by its target, and all kinds of stat(2) by that name. */
function nameOf(line: string): string | undefined {
  const [, call = '', path = '', second] = asked.exec(line) ?? [];
  if (call === '') return undefined;
  return call === 'mount'
    ? `mount ${second}`
    : `${call.replace('openat', 'open').replace(/statx|newfstatat/, 'stat')} ${path}`;
}

const counted = (names: Iterable<string>): string[] => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ×${count}`).sort();
};

/** The rows of the page's tables: `| \`CALL PATH\`… | TIMES | WHY |`. */
function justified(): string[] {
  const rows = readFileSync(join(repository, page), 'utf8').matchAll(/^\| (`.+`) \| (\d+) \| (.+) \|$/gm);
  return [...rows].flatMap(([, calls = '', times, why = '']) => {
    assert.ok(why.length > 10, calls);
    const names = [...calls.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    return names.flatMap((name) => Array.from({ length: Number(times) }, () => name));
  });
}

namespaceTest(`an unchanged boot asks the kernel for what ${page} justifies, and nothing else`, async () => {
  await installCommands({ strace: 'strace' });
  await using machine = await makeMachine({ volume: 'ext4', size: '256M' });
  await fillImage(machine);
  // It is found, and not started: the command is over before.
  mkdirSync(machine.path('/nix/bin'));
  const daemon = machine.path('/nix/bin/nix-daemon');
  writeFileSync(daemon, '#!/bin/sh\nexec sleep 1000\n');
  chmodSync(daemon, 0o755);
  const env = { PATH: '/nix/bin:/usr/bin:/bin' };
  const boot = async (via?: string): Promise<void> => {
    const { exitCode, stderr } = await bootInNamespace(machine, { args: ['true'], env, ...(via && { via }) });
    assert.equal(exitCode, 0, stderr);
  };
  await boot();
  await boot();
  await boot('exec strace -D -y -qqq -o /tmp/calls "$@"');
  const lines = readFileSync(machine.path('/tmp/calls'), 'utf8').split('\n');
  const begin = lines.findIndex((line) => first.test(line));
  const end = lines.findLastIndex((line) => record.test(line));
  assert.ok(begin >= 0 && end > begin);
  const calls = lines
    .slice(begin, end)
    .map(nameOf)
    .filter((name) => name !== undefined);
  const own = calls.filter((name) => !ofMalloc.includes(name));
  assert.deepEqual(counted(own), counted(justified()));
});
