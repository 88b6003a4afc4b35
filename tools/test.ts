// `npm test [-- FILTER…]`: every gate, then every test; a filter is a part of a test file's path.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { baseRoot, type Suite, suites, systemdTarball } from '../test/harness/base.ts';
import { ensureDist } from '../test/harness/dist.ts';
import { sweep } from '../test/harness/docker.ts';
import { openEngine } from '../test/harness/engine.ts';
import { cacheDirectory, repository } from '../test/harness/paths.ts';

process.chdir(repository);
// A Ctrl-C reaches the tests too; we stay to clean up after them, unless there is a second one.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => interrupted.abort());

const filters = process.argv.slice(2);
const everything = filters.length === 0;
// In this order: what needs nothing of the machine first, while that is got ready; the matrix last, whose last files are short.
const files = ['unit', 'container', 'integration', 'matrix'].flatMap((kind) =>
  globSync(`test/${kind}/**/*.test.ts`).sort(),
);
const chosen = files.filter((file) => everything || filters.some((filter) => file.includes(filter)));
if (chosen.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`);
  process.exit(64);
}

const isRoot = process.getuid?.() === 0;
const regressionGate = [
  ...['--disable-warning=ExperimentalWarning', 'tools/bench.ts', '--quick', '--gate'],
  'boot',
];

process.exitCode = await runAll();

async function runAll(): Promise<number> {
  const beyondUnit = chosen.some((file) => !file.startsWith('test/unit/'));
  const needEngine = chosen.some((file) => /^test\/(container|matrix)\//.test(file));
  if (everything && isRoot) void makeBases();
  const prepared = Promise.all([everything ? check() : 0, beyondUnit ? ensureDist() : undefined]);
  // It counts below, when there is an engine to be ended.
  prepared.catch(() => {});
  process.env['NCI_TEST_RUN'] = `${process.pid}`;
  await using _engine = needEngine ? await engineOrReason() : undefined;
  try {
    const [checked] = await prepared;
    const tested = await runTests();
    if (!everything) return tested.success && checked === 0 ? 0 : 1;
    // When all else is over: the machine is to be idle.
    const measured = isRoot ? await follow(process.execPath, regressionGate) : 0;
    if (!isRoot) console.log('No regression gate: making namespaces takes root');
    const others = [checked, measured].filter((status) => status !== 0).length;
    console.log(`${tested.passed} passed, ${tested.failed + others} failed`);
    return tested.success && others === 0 ? 0 : 1;
  } finally {
    if (needEngine) await sweep();
  }
}

/** The tests need them all, and wait for them: most need the first. */
async function makeBases(): Promise<void> {
  try {
    for (const suite of new Set<Suite>(['trixie', ...suites])) await baseRoot(suite);
    await systemdTarball();
  } catch (error) {
    // Each test that needs it tries again, and fails with it.
    console.error(error instanceof Error ? error.message : error);
  }
}

async function check(): Promise<number> {
  const types = await follow('node_modules/.bin/tsc', ['--noEmit']);
  const style = await follow('node_modules/.bin/biome', ['check', '--error-on-warnings', '.']);
  return types || style;
}

/** Without an engine the container tests say themselves why they are skipped, or fail in CI. */
async function engineOrReason(): Promise<AsyncDisposable | undefined> {
  try {
    return await openEngine();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return undefined;
  }
}

async function runTests(): Promise<{ success: boolean; passed: number; failed: number }> {
  // Each file is a process that reads the same modules: what has been made of their TypeScript is kept.
  process.env['NODE_COMPILE_CACHE'] = join(cacheDirectory, 'compiled');
  // Not with `node --test`, which puts files in an order of its own.
  const tests = run({
    files: chosen,
    // One more than has a processor even on a small machine: each waits for Docker and the disk a quarter of its time.
    concurrency: 3,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    signal: interrupted.signal,
  });
  let all = { success: false, passed: 0, failed: 0 };
  tests.on('test:summary', (summary) => {
    if (summary.file !== undefined) return;
    const { success, counts } = summary;
    all = {
      success,
      passed: counts.passed,
      failed: counts.tests - counts.passed - counts.skipped - counts.todo,
    };
  });
  await pipeline(tests, new spec(), process.stdout, { end: false });
  return all;
}

function follow(file: string, args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject).on('close', (code) => resolve(code ?? 1));
  });
}
