import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { completions } from '../../../src/commands/completions.ts';
import { described, keyOptions } from '../../../src/commands/described.ts';

/** `nix-cache-init completions ARGS…`. */
function run(...args: string[]) {
  const script = `
    import { cli } from '${import.meta.resolve('../../../src/cli.ts')}';
    process.exitCode = await cli(${JSON.stringify(['completions', ...args])});`;
  const options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  return spawnSync(process.execPath, options, { encoding: 'utf8' });
}

for (const [shell, make] of Object.entries(completions)) {
  test(`completions ${shell} prints every command and option`, () => {
    const { status, stdout, stderr } = run(shell);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(stdout, make());
    for (const { name } of described) assert.match(stdout, new RegExp(`\\b${name}\\b`));
    for (const { flag } of [...keyOptions, ...described.flatMap(({ options }) => options)])
      assert.match(stdout, new RegExp(`(-l |--)${flag.slice(2)}\\b`), flag);
  });
}

const wrong: [string[], RegExp][] = [
  [[], /^nix-cache-init: usage: completions needs a shell: EINVAL \(say one of bash, zsh, fish\)$/m],
  [['tcsh'], /^nix-cache-init: usage: no completions for tcsh: EINVAL \(say one of bash, zsh, fish\)$/m],
  [['constructor'], /no completions for constructor/],
  [['bash', 'zsh'], /^nix-cache-init: usage: unexpected argument zsh: EINVAL/m],
  [['--json', 'bash'], /^nix-cache-init: usage: unknown flag --json/m],
];

for (const [args, says] of wrong) {
  test(`completions ${args.join(' ')} is refused with 64`, () => {
    const { status, stdout, stderr } = run(...args);
    assert.deepEqual([status, stdout], [64, '']);
    assert.match(stderr, says);
  });
}
