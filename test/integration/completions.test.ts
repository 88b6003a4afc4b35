import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commonOptions, described, keyOptions, type Option } from '../../src/commands/described.ts';
import { completers, type Shell } from '../harness/completion.ts';
import { ensureDist } from '../harness/dist.ts';
import { testOnGround } from '../harness/ground.ts';
import { alone } from '../harness/lock.ts';
import { fencedBlocks } from '../harness/markdown.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands, isOnPath } from '../harness/packages.ts';
import { repository, rootfs } from '../harness/paths.ts';

/** What is typed, and what it has to become; itself where nothing can be meant. */
type Case = [typed: string, becomes: string];

const share = `${rootfs}/opt/nix-cache-init/share`;

const files: Record<Shell, string> = {
  bash: `${share}/bash-completion/completions/nix-cache-init`,
  zsh: `${share}/zsh/site-functions/_nix-cache-init`,
  fish: `${share}/fish/vendor_completions.d/nix-cache-init.fish`,
};

/** As much of a word as tells it from all others, if it is not the whole. */
function begun(word: string, all: readonly string[], atLeast = 1): string[] {
  for (let length = atLeast; length < word.length; length += 1) {
    const start = word.slice(0, length);
    if (all.every((other) => other === word || !other.startsWith(start))) return [start];
  }
  return [];
}

const everywhere = [...commonOptions, ...keyOptions];
const line = (...words: string[]): string => ['nix-cache-init', ...words].join(' ');

const names = described.map(({ name }) => name);
const commandCases: Case[] = names.flatMap((name) =>
  begun(name, names).map((start): Case => [line(start), line(name)]),
);

function optionCases(command: string, options: readonly Option[], own: readonly Option[]): Case[] {
  const flags = [...everywhere, ...own].map(({ flag }) => flag);
  return options.flatMap(({ flag, value }) => [
    ...begun(flag, flags, 3).map((start): Case => [line(command, start), line(command, flag)]),
    ...(typeof value === 'object' ? value.slice(-1) : []).flatMap((word) =>
      begun(word, value as string[]).map(
        (start): Case => [line(command, flag, start), line(command, flag, word)],
      ),
    ),
  ]);
}

const cases: Case[] = [
  ...commandCases,
  ...optionCases('run', everywhere, []),
  ...described.flatMap(({ name, options }) => optionCases(name, options, options)),
  ...described.flatMap(({ name, operands }) =>
    (typeof operands === 'object' ? operands : []).map(
      (word): Case => [line(name, word.slice(0, -1)), line(name, word)],
    ),
  ),
  [line('plan', '--strategy=loc'), line('plan', '--strategy=local-overlay')],
  // One of another command, and one that is no option any more.
  [line('plan', '--conten'), line('plan', '--conten')],
  [line('run', '--', '--strat'), line('run', '--', '--strat')],
  [line('run', 'true', '--strat'), line('run', 'true', '--strat')],
];

/** Cases for what is found on the disk. */
const found = (directory: string): Case[] => [
  [line('run', '--', 'an-odd-comm'), line('run', '--', 'an-odd-command')],
  [line('run', '--strategy', 'none', 'an-odd-comm'), line('run', '--strategy', 'none', 'an-odd-command')],
  [line('run', 'cat', `${directory}/a-fi`), line('run', 'cat', `${directory}/a-file`)],
  [line('plan', '--config', `${directory}/a-fi`), line('plan', '--config', `${directory}/a-file`)],
  [
    line('plan', '--cache-dir', `${directory}/a-dir`),
    line('plan', '--cache-dir', `${directory}/a-directory`),
  ],
  [
    line('export', '--to', directory, `${directory}/a-fi`),
    line('export', '--to', directory, `${directory}/a-file`),
  ],
];

/** Where a directory is due, zsh offers files when there is no directory. */
const notFound = (shell: Shell, directory: string): Case[] =>
  shell === 'zsh'
    ? []
    : [[line('plan', '--cache-dir', `${directory}/a-fi`), line('plan', '--cache-dir', `${directory}/a-fi`)]];

const installed = { bash: 'bash', zsh: 'zsh', fish: 'fish' };
const missing =
  process.getuid?.() === 0 || Object.keys(installed).every(isOnPath)
    ? undefined
    : 'takes zsh and fish: run as root, or install them';

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  testOnGround(
    missing,
    `${shell} completes commands, options, their values and what follows them`,
    async () => {
      await alone('dist', ensureDist);
      await installCommands(installed);
      using directory = mkdtempDisposableSync(`${tmpdir()}/nix-cache-init-completion-`);
      writeFileSync(`${directory.path}/a-file`, '');
      mkdirSync(`${directory.path}/a-directory`);
      const command = `${directory.path}/bin/an-odd-command`;
      mkdirSync(`${directory.path}/bin`);
      writeFileSync(command, '#!/bin/sh\n');
      chmodSync(command, 0o755);
      const path = process.env['PATH'];
      process.env['PATH'] = `${directory.path}/bin:${path}`;
      try {
        const all = [...cases, ...found(directory.path), ...notFound(shell, directory.path)];
        const became = await completers[shell](
          files[shell],
          all.map(([typed]) => typed),
        );
        const wrong = all.flatMap(([typed, becomes], index) => {
          const got = (became[index] ?? '').replace(/\/$/, '');
          return got === becomes ? [] : [{ typed, becomes, got }];
        });
        assert.deepEqual(wrong, []);
      } finally {
        process.env['PATH'] = path;
      }
    },
  );
}

/** What tells that a shell knows how to complete our commands. */
const known: Record<Shell, string> = {
  bash: 'complete -p nix-cache-init',
  zsh: 'print $_comps[nix-cache-init]',
  fish: 'complete -c nix-cache-init',
};

namespaceTest('what docs/nix.md has each shell read makes it know our commands', async () => {
  await installCommands(installed);
  const page = readFileSync(join(repository, 'docs/nix.md'), 'utf8');
  await using machine = await makeMachine({ volume: 'none' });
  await machine.shell(
    `mkdir -p usr-local; ln -s /opt/nix-cache-init/bin/nix-cache-init usr-local/nix-cache-init`,
  );
  for (const [shell, tells] of Object.entries(known)) {
    const [snippet] = fencedBlocks(page, shell);
    const boot = {
      program: [shell, '-c', `${snippet?.text ?? 'false'}\n${tells}`],
      args: [],
      env: { PATH: '/usr-local:/usr/bin:/bin' },
    };
    const { exitCode, stdout, stderr } = await bootInNamespace(machine, boot);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /nix.cache.init/, shell);
  }
});
