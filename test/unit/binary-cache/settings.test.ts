import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type SettingsRequest, writeSettings } from '../../../src/binary-cache/settings.ts';
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
const added = `extra-substituters = file:///v/binary-cache
extra-trusted-substituters = file:///v/binary-cache
extra-trusted-public-keys = k-1:abc=
`;
const heading = '# Made by nix-cache-init at boot.\n';

test('nix.conf includes what is set, once', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const request = makeGround(base);
  const { log, lines } = recordingLog();
  writeSettings(request, log);
  const once = read(`${base}/etc/nix.conf`);
  assert.match(once, /^!include \S+\/own\/defaults\.conf .+\ncores = 2\n!include \S+\/own\/nix\.conf .+\n$/);
  assert.equal(read(`${base}/own/nix.conf`), heading + added);
  assert.equal(
    read(`${base}/own/defaults.conf`),
    `${heading}post-build-hook = ${base}/own/post-build-hook\n`,
  );
  assert.match(read(`${base}/xdg/nix/nix.conf`), /^!include \S+\/own\/offline\.conf .+\n$/);
  assert.equal(read(`${base}/own/offline.conf`), `${heading}substitute = true\n`);
  writeSettings(request, log);
  assert.equal(read(`${base}/etc/nix.conf`), once);
  assert.deepEqual(lines, []);
});

test("the hook is init's own program, and finds what it needs beside it", () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  writeSettings(makeGround(base), recordingLog().log);
  assert.equal(readlinkSync(`${base}/own/post-build-hook`), process.execPath);
  const request = JSON.parse(read(`${base}/own/post-build-hook.json`));
  assert.deepEqual(request, { nix: '/bin/nix', cache: '/v/binary-cache', key: `${base}/key` });
});

test('who only reads has no hook', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  writeSettings({ ...makeGround(base), readOnly: true }, recordingLog().log);
  assert.equal(read(`${base}/own/defaults.conf`), heading);
  assert.equal(read(`${base}/own/nix.conf`), heading + added);
  assert.equal(existsSync(`${base}/own/post-build-hook`), false);
});

test('where there is no binary cache to read yet, nothing is said of it', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  writeSettings({ ...makeGround(base, '', { key: false }), readOnly: true }, recordingLog().log);
  assert.equal(read(`${base}/own/nix.conf`), heading);
});

test('a user who wants no substituters at all gets none without a network either', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  writeSettings(makeGround(base, 'substitute = false\n'), recordingLog().log);
  assert.equal(existsSync(`${base}/xdg`), false);
});

test('a place for the settings of all users that cannot be written is said, and no more', () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const { log, lines } = recordingLog();
  // Root is denied nothing but on a file system of the kernel's.
  writeSettings({ ...makeGround(base), userConfDir: '/sys/nix-cache-init' }, log);
  assert.match(lines.join(), /NIX_CONFIG='substitute = true'/);
});

for (const [name, conf, hooked] of [
  ['a hook of ours', 'cores = 2\n', true],
  ["the user's own hook", 'post-build-hook = /mine\n', false],
] as const) {
  test(`where only a variable can be set, one file says everything: ${name}`, () => {
    using directory = temporaryDirectory();
    const base = directory.path;
    const { log, lines } = recordingLog();
    writeSettings({ ...makeGround(base, conf), userConfDir: undefined }, log);
    assert.equal(read(`${base}/etc/nix.conf`), conf);
    const hook = hooked ? `post-build-hook = ${base}/own/post-build-hook\n` : '';
    assert.equal(read(`${base}/own/nix.conf`), `${heading}${added}substitute = true\n${hook}`);
    assert.match(lines.join(), /^info: .*docker exec.*NIX_CONFIG=!include/);
  });
}
