import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Model } from '../../model/model.ts';
import { rowsOf, universe } from './universe.ts';

const all = ['lib', 'lib.drv', 'tool.drv', 'app.drv', 'tool', 'app'];
const sorted = (paths: Iterable<string>): string[] => [...paths].sort();

/** A volume on image A, on which `app` was built. */
function built(): Model {
  const model = new Model(universe);
  model.booted('A', model.afterBoot('A'));
  model.settle(rowsOf(...all));
  return model;
}

test('a build makes what is missing, derivations included, and builds nothing else', () => {
  const model = new Model(universe);
  model.booted('A', model.afterBoot('A'));
  const { expected, built } = model.build('app');
  assert.deepEqual(sorted(expected.must), sorted(all));
  assert.deepEqual(sorted(built), ['app.drv', 'tool.drv']);
});

test('what is valid is not built again, nor what was only needed to build it', () => {
  const model = built();
  model.settle(rowsOf(...all.filter((path) => path !== 'tool')));
  assert.deepEqual(sorted(model.build('app').built), []);
  assert.deepEqual(sorted(model.build('tool').built), ['tool.drv']);
});

test('an upgrade: the image wins, what is whole stays, and what is in both is no longer the volume’s', () => {
  const { valid, cached } = built().afterBoot('B');
  assert.deepEqual(sorted(valid.keys()), sorted([...all, 'extra']));
  assert.deepEqual(sorted(cached.keys()), ['app.drv', 'lib.drv', 'tool', 'tool.drv']);
});

test('sideways: what refers to a path that is gone waits, and is valid again with it', () => {
  const model = built();
  const after = model.afterBoot('C');
  assert.deepEqual(sorted(after.valid.keys()), ['app.drv', 'extra', 'lib.drv', 'tool', 'tool.drv']);
  model.booted('C', after);
  assert.deepEqual(sorted(model.afterBoot('A').valid.keys()), sorted(all));
});

test('what waits may go on waiting on the same image only', () => {
  const model = built();
  model.booted('C', model.afterBoot('C'));
  assert.deepEqual(sorted(model.mayWait('C')), ['app']);
  assert.deepEqual(sorted(model.mayWait('A')), []);
});

test('the collector leaves what roots lead to, with its derivers, and all of the image', () => {
  const model = built();
  assert.deepEqual(sorted(model.afterGc().must), ['lib', 'lib.drv']);
  model.roots.add('mine', 'direct', 'app');
  assert.deepEqual(sorted(model.afterGc().must), sorted(all.filter((path) => path !== 'tool')));
});

test('only unreferenced paths of the image can be deleted', () => {
  const model = built();
  assert.deepEqual(model.deletable(), []);
  model.settle(rowsOf('lib'));
  assert.deepEqual(model.deletable(), ['lib']);
});

test('what an operation may have touched, valid or waiting, is no longer known to be whole', () => {
  const model = built();
  model.booted('C', model.afterBoot('C'));
  model.settle(model.valid, new Set(['app']));
  assert.ok(!model.cached.has('app'));
});

test('what is deleted of the image is no copy of the volume’s; what is built in its place is', () => {
  const model = built();
  model.settle(rowsOf());
  assert.deepEqual(sorted(model.cached.keys()), []);
  model.settle(rowsOf('lib'));
  assert.deepEqual(sorted(model.cached.keys()), ['lib']);
});
