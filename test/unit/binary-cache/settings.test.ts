import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type SettingsRequest, writeSettings } from '../../../src/binary-cache/settings.ts';
import { Undo } from '../../../src/store/undo.ts';
import { recordingLog, temporaryDirectory } from '../fixtures.ts';

/** A container with a nix.conf, and a volume with a key. */
function makeGround(base: string, conf = 'cores = 2\n', { key = true } = {}): SettingsRequest {
  for (const name of ['etc', 'key']) mkdirSync(`${base}/${name}`);
  writeFileSync(`${base}/etc/nix.conf`, conf);
  if (key) writeFileSync(`${base}/key/public`, 'k-1:abc=\n');
  return {
    ...{ cache: '/v/binary-cache', key: `${base}/key`, open: '', record: '' },
    ...{ storeDir: '/nix/store', stateDir: base, own: `${base}/own`, nix: '/bin/nix', nixStore: '' },
    ...{ readOnly: false, confDir: `${base}/etc`, userConfDir: `${base}/xdg/nix` },
  };
}

const read = (path: string): string => readFileSync(path, 'utf8');
/** What was said, and what takes it back. */
function write(request: SettingsRequest): { undo: Undo; lines: string[] } {
  const { log, lines } = recordingLog();
  const undo = new Undo(log);
  writeSettings(request, log, (action) => undo.ending(action));
  return { undo, lines };
}

const added = `extra-substituters = file:///v/binary-cache
extra-trusted-substituters = file:///v/binary-cache
extra-trusted-public-keys = k-1:abc=
`;
const heading = '# Made by nix-cache-init at boot.\n';

const hooked = (base: string): string => `post-build-hook = ${base}/own/post-build-hook\n`;
const marked = (text: string): string => text.replaceAll('\n', ' # by nix-cache-init\n');

test('nix.conf says what is set, once, and in the end what the user says alone', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const request = makeGround(base);
  const first = write(request);
  const once = read(`${base}/etc/nix.conf`);
  assert.equal(once, `${marked(hooked(base))}cores = 2\n${marked(added)}`);
  assert.match(read(`${base}/xdg/nix/nix.conf`), /^substitute = true # by nix-cache-init$/m);
  const { undo, lines } = write(request);
  assert.equal(read(`${base}/etc/nix.conf`), once);
  undo.run();
  assert.equal(read(`${base}/etc/nix.conf`), 'cores = 2\n');
  assert.equal(existsSync(`${base}/xdg/nix/nix.conf`), false);
  assert.deepEqual([...first.lines, ...lines], []);
});

test("the hook is init's own program, and finds what it needs beside it", () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  write(makeGround(base));
  assert.equal(readlinkSync(`${base}/own/post-build-hook`), process.execPath);
  const request = JSON.parse(read(`${base}/own/post-build-hook.json`));
  assert.deepEqual(request, { nix: '/bin/nix', cache: '/v/binary-cache', key: `${base}/key` });
});

test('who only reads has no hook', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  write({ ...makeGround(base), readOnly: true });
  assert.equal(read(`${base}/etc/nix.conf`), `cores = 2\n${marked(added)}`);
  assert.equal(existsSync(`${base}/own/post-build-hook`), false);
});

test('where there is no binary cache to read yet, nothing is said of it', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  write({ ...makeGround(base, 'cores = 2\n', { key: false }), readOnly: true });
  assert.equal(read(`${base}/etc/nix.conf`), 'cores = 2\n');
});

test('a user who wants no substituters at all gets none without a network either', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  write(makeGround(base, 'substitute = false\n'));
  assert.equal(existsSync(`${base}/xdg`), false);
});

test('a place for the settings of all users that cannot be written is said, and no more', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  // Root is denied nothing but on a file system of the kernel's.
  const { lines } = write({ ...makeGround(base), userConfDir: '/sys/nix-cache-init' });
  assert.match(lines.join(), /NIX_CONFIG='substitute = true'/);
});

for (const [name, conf, ours] of [
  ['a hook of ours', 'cores = 2\n', true],
  ["the user's own hook", 'post-build-hook = /mine\n', false],
] as const) {
  test(`where only a variable can be set, one file says everything: ${name}`, () => {
    using directory = temporaryDirectory();
    const base = directory.path;
    const { lines } = write({ ...makeGround(base, conf), userConfDir: undefined });
    assert.equal(read(`${base}/etc/nix.conf`), conf);
    const text = `${heading}${added}substitute = true\n${ours ? hooked(base) : ''}`;
    assert.equal(read(`${base}/own/nix.conf`), text);
    assert.match(lines.join(), /^info: .*docker exec.*NIX_CONFIG=!include/);
  });
}
