import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Exit, errnoOf, InitError, systemErrno, toInitError } from '../../src/errors.ts';
import { SystemError } from '../../src/linux/libc.ts';
import { isInitError } from './fixtures.ts';

const coded = (code: unknown): Error => Object.assign(new Error('failed'), { code });

test('the message is the line of the contract', () => {
  const error = new InitError({
    stage: 'mount',
    what: 'no mounts',
    errno: 'EPERM',
    remedy: 'be root',
    exitCode: Exit.privilege,
  });
  assert.equal(error.message, 'mount: no mounts: EPERM (be root)');
  assert.ok(error instanceof Error);
});

test('the exit codes are those of the contract', () => {
  assert.deepEqual(Exit, {
    usage: 64,
    bug: 70,
    io: 74,
    locked: 75,
    privilege: 77,
    config: 78,
    notExecutable: 126,
    notFound: 127,
  });
});

const errnos: [string, unknown, string | undefined][] = [
  ["Node's", coded('ENOENT'), 'ENOENT'],
  ['ours', new SystemError(1, 'mount', '/x'), 'EPERM'],
  ['one with a digit', coded('E2BIG'), 'E2BIG'],
  [
    'one that libuv has no name for',
    Object.assign(coded('Unknown system error -122'), { errno: -122 }),
    'EDQUOT',
  ],
  ["one of Node's own codes", coded('ERR_INVALID_ARG_TYPE'), undefined],
  ['a number', coded(2), undefined],
  ['an error without a code', new Error('x'), undefined],
  ['no error at all', { code: 'ENOENT' }, undefined],
  ['undefined', undefined, undefined],
];

for (const [name, error, errno] of errnos) {
  test(`errno of ${name}`, () => {
    assert.equal(systemErrno(error), errno);
    assert.equal(errnoOf(error), errno ?? 'EIO');
  });
}

const wrapped: [string, 74 | 77, RegExp][] = [
  ['ENOSPC', 74, /free space/],
  ['EDQUOT', 74, /quota/],
  ['EROFS', 74, /read-write/],
  ['EIO', 74, /disk/],
  ['EMFILE', 74, /--ulimit/],
  ['ENOMEM', 74, /memory/],
  ['ELOOP', 74, /please report/],
  ['EACCES', 77, /apparmor=unconfined/],
  ['EPERM', 77, /--cap-add SYS_ADMIN/],
];

for (const [errno, exitCode, remedy] of wrapped) {
  test(`${errno} ends a boot with ${exitCode}`, () => {
    const expected = isInitError({ exitCode, stage: 'seed', errno, what: '/nix-cache', remedy });
    assert.throws(() => {
      throw toInitError(coded(errno), 'seed', '/nix-cache');
    }, expected);
  });
}

test('a failed call says on what, unless it has been said', () => {
  const error = new SystemError(2, 'lstat', '/x/y');
  const message = (what: string): string => toInitError(error, 'seed', what).message.replace(/ENOENT.*/, '');
  assert.equal(message('cannot look'), 'seed: cannot look: lstat /x/y: ');
  assert.equal(message('cannot look at /x/y'), 'seed: cannot look at /x/y: ');
});

test('an error that knows itself stays as it is', () => {
  const error = new InitError({ stage: 'lock', what: 'x', errno: 'EIO', remedy: 'y', exitCode: Exit.locked });
  assert.equal(toInitError(error, 'mount', 'z'), error);
});

const bugs: [string, unknown, RegExp][] = [
  // With the stack: it is to be reported, and the one who reports it has nothing else.
  [
    'a programming error',
    new TypeError('x is not a function'),
    /^unexpected: TypeError: x is not a function\n +at .*errors\.test\.ts:\d+:\d+/,
  ],
  ['an error without a stack', Object.assign(new Error('bare'), { stack: undefined }), /^unexpected: bare$/],
  ['something thrown that is no error', 'text', /^unexpected: text$/],
];

for (const [name, error, what] of bugs) {
  test(`${name} is a bug of ours`, () => {
    const known = toInitError(error, 'mount', 'unexpected');
    isInitError({ exitCode: 70, stage: 'internal', what, remedy: /report/ })(known);
    assert.equal(known.cause, error);
  });
}

test('a bug whose message has several lines is reported on one', () => {
  const known = toInitError(new Error('first\nsecond'), 'mount', 'unexpected');
  isInitError({ exitCode: 70 })(known);
  assert.match(known.message, /^internal: unexpected: Error: first second at /);
});

const breaks: [string, string][] = [
  ['a\nb', 'a b'],
  ['a\r\nb', 'a b'],
  ['a \n\n\t b', 'a b'],
  ['a  b', 'a  b'],
];

for (const [text, shown] of breaks) {
  test(`${JSON.stringify(text)} is shown on one line, as what and as remedy`, () => {
    const error = new InitError({ stage: 'run', what: text, errno: 'EIO', remedy: text, exitCode: Exit.io });
    assert.equal(error.message, `run: ${shown}: EIO (${shown})`);
    // The parts stay as they are, for whoever wants them.
    assert.deepEqual([error.what, error.remedy], [text, text]);
  });
}

test('a failure of the real machine keeps its cause', () => {
  try {
    readFileSync('/proc/self/mem/x');
    assert.fail();
  } catch (error) {
    const known = toInitError(error, 'facts', 'looking');
    isInitError({ exitCode: 74, stage: 'facts', errno: 'ENOTDIR' })(known);
    assert.equal(known.cause, error);
  }
});
