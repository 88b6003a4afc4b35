import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { apply } from '../../../src/store/apply.ts';
import type { Step } from '../../../src/store/plan.ts';
import { occupyDirectory } from '../../../src/volume/idle.ts';
import { takeLock } from '../../../src/volume/lock.ts';
import { isInitError, recordingLog, temporaryDirectory } from '../fixtures.ts';

// Only steps that mount nothing: the others are the integration tests'.
const lockStep = (base: string): Step => ({
  do: 'lock',
  of: 'volume',
  path: `${base}/lock`,
  waitMs: 0,
  orRead: false,
});
const directoryStep = (base: string): Step => ({ do: 'mkdir', path: `${base}/made/below`, mode: 0o755 });
const listenStep = (base: string): Step => ({
  do: 'listen',
  socket: `${base}/daemon/socket`,
  service: 'd',
  command: '/bin/d',
});

const run = (steps: Step[], signal = new AbortController().signal) =>
  apply({ strategy: 'overlay', steps }, { log: recordingLog().log, signal });

/** Whether nobody has the lock. */
async function isFree(base: string): Promise<boolean> {
  try {
    closeSync(await takeLock({ path: `${base}/lock`, waitMs: 0, signal: new AbortController().signal }));
    return true;
  } catch {
    return false;
  }
}

test('the steps are done in order and timed, and undone on request', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const applied = await run([lockStep(base), directoryStep(base), listenStep(base)]);
  assert.equal(applied.timings.length, 3);
  assert.ok(existsSync(`${base}/made/below`));
  assert.equal(applied.listening.get('d')?.command, '/bin/d');
  assert.ok(existsSync(`${base}/daemon/socket`));
  assert.equal(await isFree(base), false);
  applied.undo.run();
  assert.equal(existsSync(`${base}/daemon/socket`), false);
  assert.equal(await isFree(base), true);
});

test('a plan without steps leaves nothing to undo and no socket', async () => {
  const { listening, timings } = await run([]);
  assert.deepEqual([listening.size, timings], [0, []]);
});

test('a step that fails is named, those before are undone, those after not begun', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  writeFileSync(`${base}/file`, '');
  const failing: Step = { do: 'mkdir', path: `${base}/file/below`, mode: 0o755 };
  const steps = [lockStep(base), listenStep(base), failing, directoryStep(base)];
  const what = `${base}/file/below`;
  await assert.rejects(run(steps), isInitError({ exitCode: 74, stage: 'mount', errno: 'ENOTDIR', what }));
  assert.equal(existsSync(`${base}/daemon/socket`), false);
  assert.equal(existsSync(`${base}/made`), false);
  assert.equal(await isFree(base), true);
});

test('a lock that is taken ends it with 75 before anything else', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const holder = await takeLock({ path: `${base}/lock`, waitMs: 0, signal: new AbortController().signal });
  await assert.rejects(
    run([lockStep(base), directoryStep(base)]),
    isInitError({ exitCode: 75, stage: 'lock' }),
  );
  assert.equal(existsSync(`${base}/made`), false);
  closeSync(holder);
});

test('a signal before the first step: nothing happens, and its reason comes out', async () => {
  using directory = temporaryDirectory();
  const reason = new Error('SIGTERM');
  await assert.rejects(run([directoryStep(directory.path)], AbortSignal.abort(reason)), reason);
  assert.equal(existsSync(`${directory.path}/made`), false);
});

test('a signal while it waits for the lock ends it at once, with its reason', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  const holder = await takeLock({ path: `${base}/lock`, waitMs: 0, signal: new AbortController().signal });
  const stop = new AbortController();
  const reason = new Error('SIGTERM');
  const start = performance.now();
  const waiting = run(
    [{ do: 'lock', of: 'volume', path: `${base}/lock`, waitMs: 60_000, orRead: false }, directoryStep(base)],
    stop.signal,
  );
  setTimeout(() => stop.abort(reason), 20);
  await assert.rejects(waiting, reason);
  assert.ok(performance.now() - start < 30_000);
  assert.equal(existsSync(`${base}/made`), false);
  closeSync(holder);
});

test('what nobody has locked is cleared, and what somebody has stays', async () => {
  using directory = temporaryDirectory();
  const [idle, busy] = [`${directory.path}/idle`, `${directory.path}/busy`];
  mkdirSync(`${idle}/work`, { recursive: true });
  const held = occupyDirectory(busy);
  assert.ok(held !== undefined);
  await run([{ do: 'clear', paths: [], idle: [idle, busy, `${directory.path}/missing`] }]);
  assert.deepEqual(readdirSync(directory.path), ['busy']);
  closeSync(held);
  await run([{ do: 'clear', paths: [], idle: [busy] }]);
  assert.deepEqual(readdirSync(directory.path), []);
});

test('what belongs to one boot is cleared, whatever it is, and what is not there is no error', async () => {
  using directory = temporaryDirectory();
  const base = directory.path;
  mkdirSync(`${base}/full/of/things`, { recursive: true });
  writeFileSync(`${base}/file`, '');
  writeFileSync(`${base}/kept`, '');
  await run([{ do: 'clear', paths: [`${base}/full`, `${base}/file`, `${base}/missing`] }]);
  assert.deepEqual(
    ['full', 'file', 'kept'].map((name) => existsSync(`${base}/${name}`)),
    [false, false, true],
  );
});

test('a socket that a killed boot left is replaced', async () => {
  using directory = temporaryDirectory();
  const first = await run([listenStep(directory.path)]);
  const second = await run([listenStep(directory.path)]);
  assert.ok(existsSync(`${directory.path}/daemon/socket`));
  for (const { undo } of [first, second]) undo.run();
});
