import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertFree, takeLock } from '../../../src/volume/lock.ts';
import { isInitError, temporaryDirectory } from '../fixtures.ts';

const { signal } = new AbortController();

// flock(2) belongs to the open file description, so a second taker in this process is as foreign as any.
const inUse = isInitError({
  exitCode: 75,
  stage: 'lock',
  errno: 'EWOULDBLOCK',
  what: new RegExp(`in use by ${hostname()} \\(PID ${process.pid}, since 2\\S+Z\\)$`),
  remedy: /onLocked=wait/,
});

test('the holder is named in the file', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  // A longer name of one who is gone must not shine through.
  writeFileSync(path, 'x'.repeat(500));
  const fd = await takeLock({ path, waitMs: 0, signal });
  const { since, ...holder } = JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual(holder, { host: hostname(), pid: process.pid });
  assert.ok(Math.abs(Date.now() - since) < 60_000);
  closeSync(fd);
});

test('a second taker is refused with 75 naming the holder, until that one lets go', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  const fd = await takeLock({ path, waitMs: 0, signal });
  const text = readFileSync(path, 'utf8');
  await assert.rejects(takeLock({ path, waitMs: 0, signal }), inUse);
  assert.equal(readFileSync(path, 'utf8'), text);
  closeSync(fd);
  closeSync(await takeLock({ path, waitMs: 0, signal }));
});

test('a taker that waits gets the lock when the holder lets go', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  const fd = await takeLock({ path, waitMs: 0, signal });
  let free = false;
  const second = takeLock({ path, waitMs: 30_000, signal }).finally(() => assert.ok(free));
  await sleep(120);
  free = true;
  closeSync(fd);
  closeSync(await second);
});

test('waiting ends at its time, with 75', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  const fd = await takeLock({ path, waitMs: 0, signal });
  const start = performance.now();
  await assert.rejects(takeLock({ path, waitMs: 120, signal }), inUse);
  assert.ok(performance.now() - start >= 115);
  closeSync(fd);
});

test('a signal ends the waiting', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  const fd = await takeLock({ path, waitMs: 0, signal });
  const stop = new AbortController();
  const waiting = takeLock({ path, waitMs: 60_000, signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  closeSync(fd);
});

test('a holder that is killed lets go', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  const script = `
    import { assertFree, takeLock } from '${import.meta.resolve('../../../src/volume/lock.ts')}';
    await takeLock({ path: ${JSON.stringify(path)}, waitMs: 0, signal: new AbortController().signal });
    console.log('held');
    setInterval(() => {}, 60_000);`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(holder, 'exit');
  try {
    await once(holder.stdout, 'data');
    const what = new RegExp(`PID ${holder.pid}, `);
    await assert.rejects(takeLock({ path, waitMs: 0, signal }), isInitError({ exitCode: 75, what }));
  } finally {
    // Whatever was found: one that lives on would keep the whole suite from ending.
    holder.kill('SIGKILL');
    await exited;
  }
  closeSync(await takeLock({ path, waitMs: 0, signal }));
});

test('a lock is free where nobody holds it, or has ever held it', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  assertFree('mounts', path);
  const fd = await takeLock({ of: 'mounts', path, waitMs: 0, signal });
  const what = new RegExp(`^the store here is in use by ${hostname()} `);
  const held = isInitError({ exitCode: 75, stage: 'lock', what, remedy: 'stop it first' });
  assert.throws(() => assertFree('mounts', path), held);
  await assert.rejects(takeLock({ of: 'mounts', path, waitMs: 0, signal }), held);
  closeSync(fd);
  assertFree('mounts', path);
  // To ask is not to take.
  closeSync(await takeLock({ path, waitMs: 0, signal }));
});

const names: [string, string, RegExp][] = [
  ['an older version', '{"host":"box","pid":7}\n', /in use by box \(PID 7\)$/],
  ['nobody', '', /in use by an unnamed holder$/],
  ['somebody else', 'me, myself', /in use by me, myself$/],
  ['JSON that is no name', '[1]', /in use by \[1\]$/],
];

for (const [writer, text, what] of names) {
  test(`the holder as ${writer} has written it`, async () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/lock`;
    const fd = await takeLock({ path, waitMs: 0, signal });
    writeFileSync(path, text);
    await assert.rejects(takeLock({ path, waitMs: 0, signal }), isInitError({ exitCode: 75, what }));
    closeSync(fd);
  });
}

test('where the lock cannot be, its errno says why', async () => {
  using directory = temporaryDirectory();
  await assert.rejects(takeLock({ path: `${directory.path}/no/lock`, waitMs: 0, signal }), {
    code: 'ENOENT',
  });
});

const thisBoot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

test('one that is to stay is written down with this boot, and believed as long as it says so', async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/lock`;
  closeSync(await takeLock({ of: 'mounts', path, waitMs: 0, signal, stays: true }));
  assert.equal(JSON.parse(readFileSync(path, 'utf8')).mounted, thisBoot);
  const what = new RegExp(`^the store here is in use by ${hostname()} \\(nix-cache-init mount, since `);
  assert.throws(() => assertFree('mounts', path), isInitError({ exitCode: 75, what, remedy: /unmount/ }));
  writeFileSync(path, JSON.stringify({ host: 'vm', pid: 1, mounted: 'another boot' }));
  assertFree('mounts', path);
});

test('a volume that is said to be mounted, and is not, is free', async () => {
  using directory = temporaryDirectory();
  mkdirSync(`${directory.path}/own`);
  const path = `${directory.path}/own/lock`;
  // No upper layer is there, so nobody can have it; that takes no privilege to find out.
  for (const boot of [thisBoot, 'another boot']) {
    writeFileSync(path, JSON.stringify({ host: 'vm', pid: 1, mounted: boot }));
    const fd = await takeLock({ path, waitMs: 0, signal });
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).mounted, undefined);
    closeSync(fd);
  }
});
