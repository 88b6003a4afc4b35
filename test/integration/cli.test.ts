import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { helpText, versionText } from '../../src/commands/help.ts';
import { usages } from '../../src/commands/usage.ts';
import { synopsis } from '../../src/config/flags.ts';
import { keyNames } from '../../src/config/keys.ts';
import { jsonSchema } from '../../src/config/schema.ts';
import { ensureDist } from '../harness/dist.ts';
import { alone } from '../harness/lock.ts';
import { rootfs } from '../harness/paths.ts';
import { failureLine } from '../unit/fixtures.ts';

await alone('dist', ensureDist);
/** As it was before it was given libraries of its own, which are not where it looks for them out here. */
const executable = join(rootfs, '../build/nix-cache-init');

/** `nix-cache-init ARGS…`. */
function run(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(executable, args, {
    argv0: 'nix-cache-init',
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
  return { status, stdout, stderr };
}

const answers: [string[], string][] = [
  [['--help'], helpText()],
  [['-h'], helpText()],
  [['--version'], versionText],
  [['run', '--help'], helpText('run')],
  [['run', '--version'], versionText],
  [['plan', '--help'], helpText('plan')],
  [['config', '-h'], helpText('config')],
  [['config', '--version'], versionText],
  [['config', '--schema'], `${JSON.stringify(jsonSchema(), null, 2)}\n`],
];

for (const [args, stdout] of answers) {
  test(`nix-cache-init ${args.join(' ')}`, () =>
    assert.deepEqual(run(args), { status: 0, stdout, stderr: '' }));
}

const refused: [string[], number, RegExp][] = [
  [[], 64, /no command/],
  [['rnu'], 64, /unknown command rnu.*run/],
  [['constructor'], 64, /unknown command constructor/],
  [['export', '/x'], 64, /export needs a directory.*--to DIR/],
  [['export', '--to', '/x'], 64, /export needs a path/],
  [['export', '--to='], 64, /export needs a directory/],
  [['export', '/x', '--to', '/y'], 64, /export needs a directory/],
  [['export', '--to', '/x', '/y', '--json'], 64, /--json comes after a path/],
  [['plan', '--contents'], 64, /unknown flag --contents/],
  [['remount'], 64, /remount takes one directory/],
  [['remount', '/a', '/b'], 64, /remount takes one directory/],
  [['remount', '/nowhere'], 74, /no overlay is mounted at \/nowhere: EINVAL/],
  [['wait', '--timeout=soon'], 64, /--timeout soon is no time/],
  [['wait', '--timeout='], 64, /--timeout {2}is no time/],
  [['logs', '--last=-1'], 64, /--last -1 is no number/],
  [['logs', '--last=many'], 64, /--last many is no number/],
  [['restart'], 64, /restart takes one service/],
  [['restart', 'a', 'b'], 64, /restart takes one service/],
  [['run', '--json'], 64, /unknown flag --json/],
  [['config', '--strategy=x'], 78, /strategy is "x" in flag --strategy/],
  [['config', '--config=/nonexistent.json'], 78, /cannot read \/nonexistent\.json: ENOENT/],
];

for (const [name, { operands, values = {} }] of Object.entries(usages)) {
  if (name === 'run') continue;
  const [value] = Object.keys(values);
  refused.push([[name, '--no-such-flag'], 64, /unknown flag --no-such-flag/]);
  refused.push([[name, '--help=yes'], 64, /--help takes no value/]);
  if (operands === undefined) refused.push([[name, 'extra'], 64, /unexpected argument extra/]);
  if (value !== undefined) refused.push([[name, `--${value}`], 64, new RegExp(`--${value} needs a value`)]);
}

for (const [args, status, message] of refused) {
  test(`nix-cache-init ${args.join(' ')} is refused with ${status}, on one line${status === 64 ? ', and told what is right' : ''}`, () => {
    const outcome = run(args);
    assert.equal(outcome.status, status);
    assert.equal(outcome.stdout, '');
    const [line = '', ...more] = outcome.stderr.split('\n');
    assert.match(line.replace(/^nix-cache-init: /, ''), failureLine);
    assert.match(line, message);
    assert.equal(more.join('\n'), status === 64 ? synopsis : '');
  });
}

test('config --json tells every value and where it is from', () => {
  const { status, stdout } = run(['config', '--json', '--lock-timeout=1m'], {
    NIX_CACHE_INIT_STRATEGY: 'none',
  });
  assert.equal(status, 0);
  const told = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(Object.keys(told), keyNames);
  assert.deepEqual(told['strategy'], { value: 'none', origin: 'environment NIX_CACHE_INIT_STRATEGY' });
  assert.deepEqual(told['lockTimeout'], { value: '1m', origin: 'flag --lock-timeout' });
  assert.deepEqual(told['cacheDir'], { value: '/nix-cache', origin: 'default' });
});

test('config tells the same as a table', () => {
  const { stdout } = run(['config'], { NIX_CACHE_INIT_STRATEGY: 'none' });
  assert.equal(stdout.trimEnd().split('\n').length, keyNames.length);
  assert.match(stdout, /^strategy +none +environment NIX_CACHE_INIT_STRATEGY {2}\(/m);
});

const nowhere = ['plan', '--cache-dir=/nonexistent/cache'];

test('plan without a volume falls back, and says why', () => {
  const { status, stdout } = run(nowhere);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^not overlay: facts: \/nonexistent\/cache does not exist: ENOENT \(.+\)\nnot substituter: .+\nstrategy: none\n/,
  );
});

test('plan where nothing is left ends as a boot would', () => {
  const { status, stdout } = run([...nowhere, '--on-unsupported=fail', '--json']);
  assert.equal(status, 78);
  const { passedOver, steps } = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(steps, undefined);
  assert.equal(Array.isArray(passedOver) && passedOver.length, 1);
});
