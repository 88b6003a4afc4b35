// `npm test [-- FILTER…]`: every gate, then every test; a filter is a part of a test file's path.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { baseRoot, suites } from '../test/harness/base.ts';
import { ensureDist } from '../test/harness/dist.ts';
import { sweep } from '../test/harness/docker.ts';
import { openEngine } from '../test/harness/engine.ts';
import { cacheDirectory, repository } from '../test/harness/paths.ts';

process.chdir(repository);
// A Ctrl-C reaches the tests too; we stay to clean up after them, unless there is a second one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => {});

const filters = process.argv.slice(2);
const files = globSync('test/{unit,integration,container,matrix}/**/*.test.ts').sort();
const chosen = files.filter(
  (file) => filters.length === 0 || filters.some((filter) => file.includes(filter)),
);
if (chosen.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`);
  process.exit(64);
}

if (filters.length === 0 && process.getuid?.() === 0) void makeBases();
process.exitCode = filters.length === 0 ? await check() : 0;
const tests = await runAll();
process.exitCode ||= tests;

/** The tests need them all, and wait for them: making them can begin while the code is checked and built. */
async function makeBases(): Promise<void> {
  try {
    for (const suite of suites) await baseRoot(suite);
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

async function runAll(): Promise<number> {
  const beyondUnit = chosen.some((file) => !file.startsWith('test/unit/'));
  if (beyondUnit) await ensureDist();
  if (!chosen.some((file) => /^test\/(container|matrix)\//.test(file))) return await runTests();
  process.env['NCI_TEST_RUN'] = `${process.pid}`;
  await using _engine = await engineOrReason();
  try {
    return await runTests();
  } finally {
    await sweep();
  }
}

/** Without an engine the container tests say themselves why they are skipped, or fail in CI. */
async function engineOrReason(): Promise<AsyncDisposable> {
  try {
    return await openEngine();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return { [Symbol.asyncDispose]: async () => {} };
  }
}

function runTests(): Promise<number> {
  // One more than has a processor even on a small machine: each waits for Docker and the disk a quarter of its time.
  const flags = ['--disable-warning=ExperimentalWarning', '--test', '--test-concurrency=3'];
  // Each file is a process that reads the same modules: what has been made of their TypeScript is kept.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(cacheDirectory, 'compiled') };
  return follow(process.execPath, [...flags, ...chosen], env);
}

function follow(file: string, args: string[], env = process.env): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject).on('close', (code) => resolve(code ?? 1));
  });
}
