import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import {
  hasLines,
  type OwnLines,
  putLines,
  takeLinesOut,
  withLines,
  withoutLines,
} from '../../../src/state/nix-conf-lines.ts';
import { temporaryDirectory } from '../fixtures.ts';

const both: OwnLines = { before: ['a = 1', 'b ='], after: ['extra-c = 2'] };
const before = 'a = 1 # by nix-cache-init\nb = # by nix-cache-init\n';
const after = 'extra-c = 2 # by nix-cache-init\n';
const made = '# There was no such file. # by nix-cache-init\n';

const texts = [
  '',
  'cores = 2\n',
  '# only a comment\n',
  'include other.conf\n!include /x\n',
  '\r\n',
  '\n\ncores = 2\n\n',
];

for (const text of texts) {
  test(`ours are around, once, and what the user has stays as it is: ${JSON.stringify(text)}`, () => {
    const once = withLines(text, both);
    assert.equal(once, `${before}${text}${after}`);
    assert.equal(withLines(once, both), once);
    assert.equal(withoutLines(once), text);
  });
}

test('a last line without an end gets one only where something comes after it', () => {
  assert.equal(withLines('cores = 2', both), `${before}cores = 2\n${after}`);
  const once = withLines('cores = 2', { before: ['a = 1', 'b ='] });
  assert.equal(once, `${before}cores = 2`);
  assert.equal(withoutLines(once), 'cores = 2');
});

test('what an earlier boot put there goes, whatever strategy it was of', () => {
  const old = withLines('cores = 2\n', { before: ['old = 1'], after: ['older = 2'] });
  assert.equal(withLines(old, both), `${before}cores = 2\n${after}`);
});

test('what the user has added after a boot stays, between ours', () => {
  const edited = `${withLines('cores = 2\n', both)}substituters = https://x\n`;
  assert.equal(withLines(edited, both), `${before}cores = 2\nsubstituters = https://x\n${after}`);
});

test('ours are told whatever was done to the rest: sorted, half of it removed, with other ends of lines', () => {
  const lines = withLines('cores = 2\n', both).split('\n');
  assert.equal(withoutLines(lines.toSorted().join('\n')), '\ncores = 2');
  assert.equal(withoutLines(lines.slice(1).join('\n')), 'cores = 2\n');
  assert.equal(withoutLines(lines.join('\r\n')), 'cores = 2\r\n');
});

test('only a line that ends with the mark is ours', () => {
  for (const line of ['# by nix-cache-init, says who', 'store = x # by nix-cache-init?']) {
    assert.equal(hasLines(line), false);
    assert.equal(withoutLines(line), line);
  }
});

test('put in place and taken out again, the file is as it was', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  for (const text of texts) {
    writeFileSync(path, text);
    const takeOut = putLines(path, both);
    assert.equal(readFileSync(path, 'utf8'), `${before}${text}${after}`);
    takeOut();
    assert.equal(readFileSync(path, 'utf8'), text);
    assert.deepEqual(readdirSync(directory.path), ['nix.conf']);
  }
});

test('after a kill: they are there once, and what is taken out is all of them', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  writeFileSync(path, 'cores = 3\n');
  // What was being written is left, too.
  writeFileSync(`${path}.new`, 'hal');
  putLines(path, { before: ['old = 1'] });
  const takeOut = putLines(path, both);
  assert.equal(readFileSync(path, 'utf8'), `${before}cores = 3\n${after}`);
  takeOut();
  takeOut();
  assert.equal(readFileSync(path, 'utf8'), 'cores = 3\n');
});

test('a file that was not there is made with its directory, and goes again, also after a kill', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/a/b/nix.conf`;
  putLines(path, both);
  assert.equal(readFileSync(path, 'utf8'), `${made}${before}${after}`);
  assert.equal(statSync(path).mode & 0o777, 0o644);
  putLines(path, { before: ['a = 1', 'b ='] })();
  assert.equal(existsSync(path), false);
});

test('one that was empty stays, and so does what was added to one that was made', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  writeFileSync(path, '');
  putLines(path, both)();
  assert.equal(readFileSync(path, 'utf8'), '');
  const other = `${directory.path}/other.conf`;
  const takeOut = putLines(other, both);
  writeFileSync(other, `${readFileSync(other, 'utf8')}cores = 2\n`);
  takeOut();
  assert.equal(readFileSync(other, 'utf8'), 'cores = 2\n');
});

test('the same again writes nothing; nor does taking out of what has none, or is not there', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  writeFileSync(path, 'cores = 2\n');
  const { ino } = statSync(path);
  takeLinesOut(path);
  takeLinesOut(`${directory.path}/no/nix.conf`);
  putLines(path, {});
  assert.equal(statSync(path).ino, ino);
  putLines(path, both);
  const put = statSync(path).ino;
  putLines(path, both);
  assert.equal(statSync(path).ino, put);
});

test('no lines at all are those of an earlier boot taken out', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  writeFileSync(path, withLines('cores = 2\n', both));
  putLines(path, { before: [], after: [] });
  assert.equal(readFileSync(path, 'utf8'), 'cores = 2\n');
});

test('a file keeps its mode and its owner, there and back', (t) => {
  if (process.getuid?.() !== 0) return t.skip('giving a file away takes root');
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  writeFileSync(path, 'access-tokens = x\n');
  chmodSync(path, 0o640);
  chownSync(path, 1234, 5678);
  const look = (): number[] => {
    const { mode, uid, gid } = statSync(path);
    return [mode & 0o7777, uid, gid];
  };
  const takeOut = putLines(path, both);
  assert.deepEqual(look(), [0o640, 1234, 5678]);
  takeOut();
  assert.deepEqual(look(), [0o640, 1234, 5678]);
});

test('a link becomes a file with what it led to, which stays as it was', () => {
  using directory = temporaryDirectory();
  const [path, store] = [`${directory.path}/nix.conf`, `${directory.path}/store`];
  writeFileSync(store, 'cores = 2\n', { mode: 0o444 });
  symlinkSync(store, path);
  const takeOut = putLines(path, both);
  assert.ok(lstatSync(path).isFile());
  assert.equal(statSync(path).mode & 0o777, 0o644);
  assert.equal(readFileSync(path, 'utf8'), `${before}cores = 2\n${after}`);
  takeOut();
  assert.equal(readFileSync(path, 'utf8'), 'cores = 2\n');
  assert.equal(readFileSync(store, 'utf8'), 'cores = 2\n');
});

test('a link that leads nowhere, which to Nix is no file, becomes one', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/nix.conf`;
  symlinkSync('/no/such/file', path);
  putLines(path, both);
  assert.equal(readFileSync(path, 'utf8'), `${made}${before}${after}`);
});
