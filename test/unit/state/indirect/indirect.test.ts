import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeGround, storePath } from './ground.ts';

type Ground = ReturnType<typeof makeGround>;

/** A container that has built something in project A, and has ended. */
function built(ground: Ground): void {
  ground.mount('/a');
  ground.settle();
  ground.build('result', storePath('a'));
  ground.record();
}

test('what a project that is not mounted has built is rooted until it is back', () => {
  using ground = makeGround();
  built(ground);
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept(), [storePath('a')]);
  ground.collect();
  assert.deepEqual(ground.autoNames(), []);
  ground.record();

  ground.mount('/a', { result: storePath('a') });
  ground.settle();
  assert.deepEqual([ground.autoNames(), ground.kept()], [['of-result'], []]);
  ground.record();
  ground.settle();
  assert.deepEqual([ground.autoNames(), ground.kept(), ground.lines], [['of-result'], [], []]);
});

test('with the project mounted and its link removed, the root is gone for good', () => {
  using ground = makeGround();
  built(ground);
  ground.unmount();
  ground.settle();
  ground.mount('/a');
  ground.settle();
  assert.deepEqual(ground.kept(), []);
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept(), []);
});

test('projects that are mounted at the same place one after the other keep what is theirs', () => {
  using ground = makeGround();
  built(ground);
  ground.mount('/b');
  ground.settle();
  ground.build('result', storePath('b'));
  ground.record();
  assert.deepEqual(ground.kept(), [storePath('a')]);

  ground.mount('/a', { result: storePath('a') });
  ground.settle();
  assert.deepEqual(ground.kept(), [storePath('b')]);
  ground.record();
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept(), [storePath('a'), storePath('b')]);
});

test('a user who removes a link in gcroots/absent is rid of it', () => {
  using ground = makeGround();
  built(ground);
  ground.unmount();
  ground.settle();
  for (const name of readdirSync(ground.absentDir)) unlinkSync(`${ground.absentDir}/${name}`);
  ground.settle();
  assert.deepEqual(ground.kept(), []);
  ground.settle();
  assert.deepEqual(ground.kept(), []);
});

test('names of others in gcroots/absent stay', () => {
  using ground = makeGround();
  built(ground);
  mkdirSync(ground.absentDir);
  symlinkSync(storePath('m'), `${ground.absentDir}/mine`);
  ground.settle();
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept().sort(), [storePath('a'), storePath('m')]);
});

test('what is built again is noted again', () => {
  using ground = makeGround();
  built(ground);
  unlinkSync(`${ground.work}/result`);
  ground.build('result', storePath('c'));
  ground.record();
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept(), [storePath('c')]);
});

test('a link that was removed by hand is noticed at the end', () => {
  using ground = makeGround();
  ground.mount('/a');
  ground.build('result', storePath('a'));
  recordSettled(ground);
  unlinkSync(`${ground.work}/result`);
  ground.record();
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept(), []);
});

test('links that are no roots in mounted directories are not noted', () => {
  using ground = makeGround();
  ground.mount('/a', { 'to-file': '/etc/passwd', 'to-store': '/nix/store' });
  writeFileSync(`${ground.work}/file`, '');
  const targets = {
    ...{ file: `${ground.work}/file`, missing: `${ground.work}/missing`, other: `${ground.work}/to-file` },
    ...{
      store: `${ground.work}/to-store`,
      direct: storePath('d'),
      generation: '/nix/var/nix/profiles/p-1-link',
    },
  };
  for (const [name, target] of Object.entries(targets)) symlinkSync(target, `${ground.auto}/${name}`);
  writeFileSync(`${ground.auto}/no-link`, '');
  ground.record();
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept(), []);
});

test('what is on the root file system goes with the container, as for Nix', () => {
  using ground = makeGround();
  mkdirSync(ground.work);
  ground.build('result', storePath('a'));
  ground.record();
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept(), []);
});

test('names that are no UTF-8 are kept as they are', () => {
  using ground = makeGround();
  ground.mount('/a');
  const odd = Buffer.concat([Buffer.from(`${ground.work}/`), Buffer.from([0xff])]);
  symlinkSync(storePath('a'), odd);
  symlinkSync(odd, `${ground.auto}/odd`);
  ground.record();
  ground.unmount();
  ground.settle();
  unlinkSync(`${ground.auto}/odd`);
  ground.mount('/a');
  symlinkSync(storePath('a'), odd);
  ground.settle();
  assert.deepEqual([ground.autoNames(), ground.kept()], [['odd'], []]);
});

test('with nothing known and nothing there, nobody asks for the mounts and nothing is written', () => {
  using ground = makeGround();
  ground.settle();
  rmSync(ground.auto, { recursive: true });
  ground.settle();
  assert.deepEqual([ground.asked(), ground.text()], [0, undefined]);
});

test('an unchanged gcroots/auto is not read again, and neither is a record written', () => {
  using ground = makeGround();
  ground.mount('/a');
  writeFileSync(`${ground.work}/result`, '');
  symlinkSync(`${ground.work}/result`, `${ground.auto}/x`);
  recordSettled(ground);
  const text = ground.text();
  // Whoever looked again would find a root here.
  unlinkSync(`${ground.work}/result`);
  symlinkSync(storePath('a'), `${ground.work}/result`);
  const asked = ground.asked();
  ground.settle();
  ground.record();
  assert.deepEqual([ground.asked() - asked, ground.text()], [0, text]);
});

test('a link that leads to nothing yet is looked at again: its project may only be absent', () => {
  using ground = makeGround();
  symlinkSync(`${ground.work}/result`, `${ground.auto}/x`);
  ground.record();
  ground.mount('/a', { result: storePath('a') });
  ground.settle();
  ground.unmount();
  ground.settle();
  assert.deepEqual(ground.kept(), [storePath('a')]);
});

/** Records until no change can look as if it had been there before. */
function recordSettled(ground: Ground): void {
  do ground.record();
  while (!ground.text()?.includes('"looks": "'));
}

test('a damaged record is said to be, and what it rooted stays rooted', () => {
  for (const text of ['', '{', '[]', '{"format":2}', '{"format":1,"looks":null,"roots":[{}]}']) {
    using ground = makeGround();
    built(ground);
    ground.unmount();
    ground.settle();
    writeFileSync(ground.places.record, text);
    ground.settle();
    assert.match(ground.lines.join('\n'), /^warn: .*roots.json is damaged/, text);
    assert.deepEqual(ground.kept(), [storePath('a')]);
    ground.settle();
    assert.equal(ground.lines.length, 1);
    assert.deepEqual(ground.kept(), [storePath('a')]);

    ground.mount('/a', { result: storePath('a') });
    ground.build('other', storePath('b'));
    ground.record();
    ground.settle();
    assert.deepEqual(ground.kept(), [], text);
  }
});

test('a record that is lost loses nothing that is rooted', () => {
  using ground = makeGround();
  built(ground);
  ground.unmount();
  ground.settle();
  rmSync(ground.places.record);
  ground.settle();
  ground.settle();
  assert.deepEqual([ground.kept(), ground.lines], [[storePath('a')], []]);
});
