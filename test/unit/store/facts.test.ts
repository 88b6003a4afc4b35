import assert from 'node:assert/strict';
import { chmodSync, chownSync, closeSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import { mountOf, readMountInfo } from '../../../src/linux/mountinfo.ts';
import { listenUnix } from '../../../src/linux/socket.ts';
import { withLines } from '../../../src/state/nix-conf-lines.ts';
import { gatherFacts } from '../../../src/store/facts.ts';
import { makeConfig, temporaryDirectory } from '../fixtures.ts';

/** This machine's facts, with every directory of the configuration below `base`. */
async function look(base: string, env: NodeJS.ProcessEnv = {}, config: Partial<Config> = {}) {
  const places = { cacheDir: `${base}/cache`, storeDir: `${base}/store`, stateDir: `${base}/var/nix` };
  return await gatherFacts(makeConfig({ ...places, ...config }), { NIX_CONF_DIR: `${base}/etc`, ...env });
}

function executable(path: string, mode = 0o755): string {
  writeFileSync(path, '', { mode });
  return path;
}

test('where nothing is, nothing is found', async () => {
  using directory = temporaryDirectory();
  const facts = await look(directory.path, {}, { 'daemon.command': 'no-such-daemon' });
  assert.deepEqual(facts.volume, { kind: 'missing' });
  assert.deepEqual([facts.storeDir, facts.stateDir, facts.logDir], [false, false, undefined]);
  assert.equal(facts.daemon.path, undefined);
  assert.equal(facts.root, process.geteuid?.() === 0);
});

test('the directories are found, the log beside the state', async () => {
  using directory = temporaryDirectory();
  for (const name of ['cache', 'store', 'var/nix', 'var/log']) {
    mkdirSync(`${directory.path}/${name}`, { recursive: true });
  }
  const facts = await look(directory.path);
  assert.equal(facts.volume.kind, 'directory');
  assert.deepEqual([facts.storeDir, facts.stateDir], [true, true]);
  assert.equal(facts.logDir, `${directory.path}/var/log`);
});

test('a file is no volume', async () => {
  using directory = temporaryDirectory();
  writeFileSync(`${directory.path}/cache`, '');
  assert.deepEqual((await look(directory.path)).volume, { kind: 'not a directory' });
});

test('a file is no store', async () => {
  using directory = temporaryDirectory();
  writeFileSync(`${directory.path}/store`, '');
  assert.equal((await look(directory.path)).storeDir, false);
});

const kinds: [string, (path: string) => void][] = [
  ['missing', () => {}],
  ['file', (path) => writeFileSync(path, '')],
  ['symlink', (path) => symlinkSync('/nowhere', path)],
];

for (const [kind, prepare] of kinds) {
  test(`nix.conf: ${kind}`, async () => {
    using directory = temporaryDirectory();
    mkdirSync(`${directory.path}/etc`);
    prepare(`${directory.path}/etc/nix.conf`);
    const { nixConf } = await look(directory.path);
    assert.deepEqual([nixConf.dir, nixConf.kind], [`${directory.path}/etc`, kind]);
  });
}

test('nix.conf: no directory for it', async () => {
  using directory = temporaryDirectory();
  assert.equal((await look(directory.path)).nixConf.kind, 'no directory');
});

test('without NIX_CONF_DIR it is /etc/nix', async () => {
  using directory = temporaryDirectory();
  assert.equal((await look(directory.path, { NIX_CONF_DIR: undefined })).nixConf.dir, '/etc/nix');
});

// Nix takes an empty variable for an unset one (getEnvNonEmpty).
test('nor does an empty NIX_CONF_DIR count', async () => {
  using directory = temporaryDirectory();
  assert.equal((await look(directory.path, { NIX_CONF_DIR: '' })).nixConf.dir, '/etc/nix');
});

test('nor an empty NIX_DAEMON_SOCKET_PATH', async () => {
  using directory = temporaryDirectory();
  const { socket } = (await look(directory.path, { NIX_DAEMON_SOCKET_PATH: '' })).daemon;
  assert.equal(socket, `${directory.path}/var/nix/daemon-socket/socket`);
});

test('the socket is in the state directory unless Nix’s own variable says otherwise', async () => {
  using directory = temporaryDirectory();
  assert.equal((await look(directory.path)).daemon.socket, `${directory.path}/var/nix/daemon-socket/socket`);
  assert.equal((await look(directory.path, { NIX_DAEMON_SOCKET_PATH: '/s' })).daemon.socket, '/s');
});

test('the daemon is the first on PATH that can be executed', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  for (const name of ['empty', 'plain', 'first', 'second']) mkdirSync(`${base}/${name}`);
  executable(`${base}/plain/d-of-test`, 0o644);
  const first = executable(`${base}/first/d-of-test`);
  executable(`${base}/second/d-of-test`);
  const path = ['', 'empty', 'plain', 'first', 'second'].map((name) =>
    name === '' ? '' : `${base}/${name}`,
  );
  const facts = await look(base, { PATH: path.join(':') }, { 'daemon.command': 'd-of-test' });
  assert.equal(facts.daemon.path, first);
});

test('a daemon with a slash is not searched for', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const own = executable(`${base}/d-of-test`);
  assert.equal((await look(base, {}, { 'daemon.command': own })).daemon.path, own);
  assert.equal(
    (await look(base, { PATH: base }, { 'daemon.command': '/no/d-of-test' })).daemon.path,
    undefined,
  );
});

test('a directory is no daemon', async () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/d-of-test`);
  const facts = await look(directory.path, { PATH: directory.path }, { 'daemon.command': 'd-of-test' });
  assert.equal(facts.daemon.path, undefined);
});

test('nor is it one by its own path', async () => {
  using directory = temporaryDirectory();
  assert.equal((await look(directory.path, {}, { 'daemon.command': directory.path })).daemon.path, undefined);
});

test('the image’s database: missing, whole, or partly in its log', async () => {
  using directory = temporaryDirectory();
  assert.equal((await look(directory.path)).imageDatabase, 'missing');
  const file = `${directory.path}/var/nix/db/db.sqlite`;
  mkdirSync(`${directory.path}/var/nix/db`, { recursive: true });
  for (const [suffix, text, expected] of [
    ['', '', 'missing'],
    ['', 'database', 'whole'],
    // Nix leaves an empty one.
    ['-wal', '', 'whole'],
    ['-wal', 'log', 'unwritten'],
  ] as const) {
    writeFileSync(file + suffix, text);
    assert.equal((await look(directory.path)).imageDatabase, expected, `${suffix} ${text}`);
  }
});

test('whether the store has .links', async () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/store`);
  assert.equal((await look(directory.path)).storeLinks, false);
  mkdirSync(`${directory.path}/store/.links`);
  assert.equal((await look(directory.path)).storeLinks, true);
});

test('the lower store: not configured, away, wedged, dead', async () => {
  using directory = temporaryDirectory();
  const socket = `${directory.path}/socket`;
  const lowerStore = `unix://${socket}?real=${directory.path}/paths`;
  assert.equal((await look(directory.path)).lowerStore, undefined);
  const found = async () =>
    (await look(directory.path, {}, { strategy: 'local-overlay', lowerStore })).lowerStore;
  const away = (what: string, errno: string) => ({ kind: 'no daemon', what, errno });
  assert.deepEqual(await found(), { directory: false, daemon: away('is not there', 'ENOENT') });
  const fd = listenUnix(socket, 0o600);
  mkdirSync(`${directory.path}/paths`);
  const wedged = away('does not answer within 1000 ms', 'ETIMEDOUT');
  assert.deepEqual(await found(), { directory: true, daemon: wedged });
  closeSync(fd);
  assert.deepEqual((await found())?.daemon, away('has nobody who listens', 'ECONNREFUSED'));
});

const confs: [string, (base: string) => void, boolean][] = [
  ['a directory of its own', (base) => mkdirSync(`${base}/etc`), true],
  ['no directory, but one above that can be written', () => {}, true],
  [
    'a link, which may lead into a store',
    (base) => {
      mkdirSync(`${base}/elsewhere`);
      symlinkSync(`${base}/elsewhere`, `${base}/etc`);
    },
    false,
  ],
];

for (const [name, prepare, own] of confs) {
  test(`nix.conf is ${own ? '' : 'not '}ours to change: ${name}`, async (t) => {
    using directory = temporaryDirectory();
    if (mountOf(directory.path, readMountInfo())?.target !== '/') return t.skip('/tmp is a mount of its own');
    prepare(directory.path);
    assert.equal((await look(directory.path)).writable.nixConf, own);
  });
}

test('nor is it what is mounted into the container', async () => {
  assert.equal((await look('/proc/self', { NIX_CONF_DIR: '/proc/self' })).writable.nixConf, false);
});

const confTexts: [string, string, boolean][] = [
  ['lines of an earlier boot', withLines('cores = 2\n', { before: ['store = x'] }), true],
  ["the user's alone", 'cores = 2\n', false],
];

for (const [name, text, marked] of confTexts) {
  test(`nix.conf with ${name} is ${marked ? '' : 'not '}to be mended, that of all users too`, async (t) => {
    using directory = temporaryDirectory();
    const base = directory.path;
    if (mountOf(base, readMountInfo())?.target !== '/') return t.skip('/tmp is a mount of its own');
    const files = ['etc/nix.conf', 'xdg/nix/nix.conf'].map((name) => `${base}/${name}`);
    for (const file of files) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const { markedConfs } = await look(base, { XDG_CONFIG_DIRS: `${base}/xdg:/etc/xdg` });
    assert.deepEqual(markedConfs, marked ? files : []);
  });
}

test('a nix.conf that is a directory, or not to be read, is nobody we know', async () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/etc/nix.conf`, { recursive: true });
  writeFileSync(`${directory.path}/xdg`, '');
  assert.deepEqual(
    (await look(directory.path, { XDG_CONFIG_DIRS: `${directory.path}/xdg` })).markedConfs,
    [],
  );
});

test('somebody else’s nix.conf is changed by root alone, who can leave it to them', async (t) => {
  if (process.geteuid?.() !== 0) return t.skip('becoming somebody else takes root');
  using directory = temporaryDirectory();
  const base = directory.path;
  if (mountOf(base, readMountInfo())?.target !== '/') return t.skip('/tmp is a mount of its own');
  mkdirSync(`${base}/etc`);
  writeFileSync(`${base}/etc/nix.conf`, '');
  chmodSync(base, 0o755);
  chownSync(`${base}/etc`, 1234, 1234);
  const ours = async (uid: number): Promise<boolean> => {
    process.seteuid?.(uid);
    try {
      return (await look(base)).writable.nixConf;
    } finally {
      process.seteuid?.(0);
    }
  };
  assert.deepEqual([await ours(1234), await ours(0)], [false, true]);
  chownSync(`${base}/etc/nix.conf`, 1234, 1234);
  assert.deepEqual([await ours(1234), await ours(0)], [true, true]);
});

test('a volume is writable if it is there', async () => {
  using directory = temporaryDirectory();
  assert.equal((await look(directory.path)).writable.volume, false);
  mkdirSync(`${directory.path}/cache`);
  assert.equal((await look(directory.path)).writable.volume, true);
});
