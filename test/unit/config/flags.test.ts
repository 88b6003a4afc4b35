import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../src/config/flags.ts';
import { isInitError } from '../fixtures.ts';

/** What a case expects; what it does not say is expected to be empty. */
type Expected = {
  flags?: Record<string, string>;
  file?: string;
  switches?: string[];
  rest?: string[];
};

const lines: [string, string[], Expected][] = [
  ['nothing at all', [], {}],
  ['a command', ['bash'], { rest: ['bash'] }],
  ['a command with options of its own', ['ls', '--strategy', '-l'], { rest: ['ls', '--strategy', '-l'] }],
  ['a flag with =', ['--strategy=none', 'sh'], { flags: { strategy: 'none' }, rest: ['sh'] }],
  ['a flag and its value', ['--cache-dir', '/c', 'sh'], { flags: { cacheDir: '/c' }, rest: ['sh'] }],
  ['a nested key', ['--log-level', 'debug'], { flags: { 'log.level': 'debug' } }],
  ['a value with =', ['--cache-dir=/a=b'], { flags: { cacheDir: '/a=b' } }],
  ['an empty value', ['--cache-dir='], { flags: { cacheDir: '' } }],
  ['the last of two', ['--strategy=none', '--strategy=auto'], { flags: { strategy: 'auto' } }],
  ['a file', ['--config', '/x.json', '--', 'sh'], { file: '/x.json', rest: ['sh'] }],
  ['help, long', ['--help'], { switches: ['help'] }],
  ['help, short', ['-h'], { switches: ['help'] }],
  ['the version', ['--version'], { switches: ['version'] }],
  ["the command's own help", ['sh', '--help'], { rest: ['sh', '--help'] }],
  ['-- before an option-like command', ['--', '--strategy'], { rest: ['--strategy'] }],
  ['-- of the command itself', ['--', 'sh', '--', 'x'], { rest: ['sh', '--', 'x'] }],
  ['-- twice', ['--', '--', 'x'], { rest: ['--', 'x'] }],
  ['-- and nothing', ['--'], {}],
  ['empty and blank arguments', ['--', '', 'a b', ''], { rest: ['', 'a b', ''] }],
  ['an empty first word', ['', 'x'], { rest: ['', 'x'] }],
  ['a lone hyphen', ['-', 'x'], { rest: ['-', 'x'] }],
];

for (const [name, args, { flags = {}, file, switches = [], rest = [] }] of lines) {
  test(`${name}: ${JSON.stringify(args)}`, () => {
    const line = parseCommandLine(args);
    assert.deepEqual(Object.fromEntries(line.flags), flags);
    assert.equal(line.file, file);
    assert.deepEqual([...line.switches], switches);
    assert.deepEqual(line.rest, rest);
  });
}

test('a switch is known only to the command that has it', () => {
  assert.deepEqual(
    [...parseCommandLine(['--json', '--schema'], { switches: ['json', 'schema'] }).switches],
    ['json', 'schema'],
  );
  assert.throws(() => parseCommandLine(['--json']), isInitError({ exitCode: 64 }));
});

test('an option with a value is known only to the command that has it', () => {
  const args = ['--to', '/out', '--strategy=none', 'a', '--to', 'b'];
  const line = parseCommandLine(args, { values: ['to'] });
  assert.deepEqual([...line.values], [['to', '/out']]);
  assert.deepEqual([...line.flags], [['strategy', 'none']]);
  assert.deepEqual(line.rest, ['a', '--to', 'b']);
  assert.throws(() => parseCommandLine(['--to', 'x']), isInitError({ exitCode: 64 }));
  assert.throws(() => parseCommandLine(['--to'], { values: ['to'] }), isInitError({ exitCode: 64 }));
});

test('the given arguments stay as they are', () => {
  const args = Object.freeze(['--strategy', 'none', '--', 'sh']);
  parseCommandLine(args);
  assert.deepEqual(args, ['--strategy', 'none', '--', 'sh']);
});

const refused: [string[], RegExp, RegExp][] = [
  [['--stratgy=none'], /^unknown flag --stratgy$/, /--strategy\b/],
  [['--cacheDir=/c'], /^unknown flag --cacheDir$/, /--cache-dir\b/],
  [['--hepl'], /^unknown flag --hepl$/, /--help\b/],
  [['-x'], /^unknown flag -x$/, /--help/],
  [['--constructor'], /^unknown flag --constructor$/, /see --help/],
  [['--__proto__=1'], /^unknown flag --__proto__$/, /see --help/],
  [['--no-process-group'], /^unknown flag --no-process-group$/, /--process-group\b/],
  [['--strategy'], /^--strategy needs a value$/, /--strategy=VALUE/],
  [['--config'], /^--config needs a value$/, /--config=VALUE/],
  [['--help=yes'], /^--help takes no value$/, /say --help/],
];

for (const [args, what, remedy] of refused) {
  test(`${args.join(' ')} is refused with 64`, () => {
    assert.throws(
      () => parseCommandLine(args),
      isInitError({ exitCode: 64, stage: 'usage', errno: 'EINVAL', what, remedy }),
    );
  });
}
