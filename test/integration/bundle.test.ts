import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureDist } from '../harness/dist.ts';
import { alone } from '../harness/lock.ts';
import { rootfs } from '../harness/paths.ts';

type Import = { path: string; kind: string; external?: boolean };
type Metafile = Record<'inputs' | 'outputs', Record<string, { imports: Import[] }>>;

await alone('dist', ensureDist);
const { inputs, outputs } = JSON.parse(
  readFileSync(join(rootfs, '../build/bundle.json'), 'utf8'),
) as Metafile;

test('the bundle asks for nothing but what Node has built in', () => {
  const external = Object.values(outputs).flatMap(({ imports }) => imports.filter((one) => one.external));
  assert.ok(external.some(({ path }) => path === 'node:fs'));
  assert.deepEqual(
    external.filter(({ path }) => !isBuiltin(path)),
    [],
  );
});

test('what a boot evaluates has neither execa nor node-linux in it', () => {
  const evaluated = reachable('src/main.ts');
  // That the way through the imports is found at all:
  assert.ok(evaluated.has('src/boot.ts') && evaluated.has('src/linux/spawn.ts'));
  for (const path of evaluated) assert.doesNotMatch(path, /node_modules\/(execa|node-linux)\//);
});

test('what a boot evaluates has no command but run in it', () => {
  const commands = [...reachable('src/main.ts')].filter((path) => path.startsWith('src/commands/'));
  assert.deepEqual(commands, []);
  assert.ok(Object.keys(inputs).some((path) => path.startsWith('src/commands/')));
});

test('a boot without services evaluates nothing that only those need', () => {
  const only = /^src\/supervise\/(ready\/|configured|start-services)|^src\/linux\/datagram/;
  assert.deepEqual(
    [...reachable('src/main.ts')].filter((path) => only.test(path)),
    [],
  );
  assert.ok(Object.keys(inputs).filter((path) => only.test(path)).length >= 6);
});

test('a boot in a container evaluates nothing that only a machine needs', () => {
  const only = /^src\/(hook|machine)\//;
  assert.deepEqual(
    [...reachable('src/main.ts')].filter((path) => only.test(path)),
    [],
  );
  assert.ok(Object.keys(inputs).filter((path) => only.test(path)).length >= 10);
});

test('a boot of another strategy evaluates nothing of the binary cache, and one that pushes nothing nothing of that', () => {
  const own = (path: string): boolean => /^src\/(binary-cache|push)\//.test(path);
  assert.deepEqual([...reachable('src/main.ts')].filter(own), []);
  assert.ok(Object.keys(inputs).filter(own).length >= 16);
});

/** Everything that is evaluated with a module: what it imports otherwise than by `import()`, and so on. */
function reachable(entry: string, found = new Set<string>()): Set<string> {
  if (found.has(entry)) return found;
  found.add(entry);
  for (const { path, kind, external } of inputs[entry]?.imports ?? []) {
    if (kind !== 'dynamic-import' && external !== true) reachable(path, found);
  }
  return found;
}
