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
type Name = 'boot' | 'configuration' | 'log' | 'rest';
const { warmed, ...scripts } = JSON.parse(
  readFileSync(join(rootfs, '../build/bundle.json'), 'utf8'),
) as Record<Name, Metafile> & { warmed: string };

/** The modules that every boot evaluates, and the others. */
const modules = ({ inputs }: Metafile): string[] => Object.keys(inputs).filter((path) => path !== 'entry');
const evaluated = modules(scripts.boot);
const later = modules(scripts.rest);

test('the scripts ask for nothing but what Node has built in, and each other', () => {
  const external = Object.values(scripts).flatMap(({ outputs }) =>
    Object.values(outputs).flatMap(({ imports }) => imports.filter((one) => one.external)),
  );
  assert.ok(external.some(({ path }) => path === 'node:fs'));
  const others = external.map(({ path }) => path).filter((path) => !isBuiltin(path));
  for (const path of others) {
    const [name, file = ''] = path.split(':');
    assert.ok(modules(scripts[name as Name]).includes(file), path);
  }
});

test('no module of a boot is in another script: there would be two of whatever it holds', () => {
  const { boot: _, ...others } = scripts;
  for (const other of Object.values(others))
    assert.deepEqual(
      modules(other).filter((path) => evaluated.includes(path)),
      [],
    );
});

test('what checks a configuration is in two scripts, as it holds nothing; nothing else is', () => {
  const twice = (name: Name): string[] =>
    modules(scripts[name]).filter((path) => later.includes(path) && path.startsWith('src/'));
  assert.deepEqual(twice('log'), []);
  assert.deepEqual(
    twice('configuration').filter((path) => !/^src\/config\//.test(path)),
    [],
  );
});

test('what is compiled beforehand is what a boot runs that mounts an overlay', () => {
  assert.equal(warmed, 'overlay');
});

test('what a boot evaluates is our own and nothing else', () => {
  assert.ok(evaluated.includes('src/boot.ts') && evaluated.includes('src/linux/spawn.ts'));
  assert.deepEqual(
    evaluated.filter((path) => !path.startsWith('src/')),
    [],
  );
});

/** Each: what nothing at a boot may need, and that it is found at all. */
const notAtBoot: readonly [string, RegExp, number][] = [
  ['no command but run', /^src\/commands\//, 20],
  [
    'nothing that only services need',
    /^src\/supervise\/(ready\/|configured|start-services)|^src\/linux\/datagram/,
    6,
  ],
  ['nothing that only a machine needs', /^src\/(hook|machine)\//, 10],
  ['nothing of the binary cache, and nothing that pushes', /^src\/(binary-cache|push)\//, 16],
  [
    'nothing that makes a state, or brings it in step with an image',
    /^src\/state\/(copy|seed\.|snapshot\/|links\/|reconcile\/(reconcile|update|merge))/,
    10,
  ],
];

for (const [what, only, least] of notAtBoot) {
  test(`a usual boot evaluates ${what}`, () => {
    assert.deepEqual(
      evaluated.filter((path) => only.test(path)),
      [],
    );
    assert.ok(later.filter((path) => only.test(path)).length >= least);
  });
}
