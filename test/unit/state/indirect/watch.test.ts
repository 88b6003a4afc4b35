import assert from 'node:assert/strict';
import { readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRecord } from '../../../../src/state/indirect/record.ts';
import { RootWatcher } from '../../../../src/state/indirect/watch.ts';
import { makeGround, storePath } from './ground.ts';

type Ground = ReturnType<typeof makeGround>;

/** The store paths in the record, once they are these; the test's own time limit ends the waiting. */
async function untilNoted(ground: Ground, ...expected: string[]): Promise<void> {
  for (;;) {
    const record = readRecord(ground.places.record);
    assert.notEqual(record, 'damaged');
    const noted = typeof record === 'object' ? record.roots.map(({ storePath }) => storePath).sort() : [];
    if (JSON.stringify(noted) === JSON.stringify(expected)) return;
    await sleep(5);
  }
}

test('a root is noted when it is made, when it leads elsewhere, and when it is removed', async () => {
  using ground = makeGround();
  ground.mount('/a');
  const watcher = new RootWatcher(ground.places, ground.log);
  try {
    ground.build('one', storePath('a'));
    await untilNoted(ground, storePath('a'));
    ground.build('two', storePath('b'));
    await untilNoted(ground, storePath('a'), storePath('b'));
    unlinkSync(`${ground.work}/one`);
    ground.build('one', storePath('c'));
    await untilNoted(ground, storePath('b'), storePath('c'));
    unlinkSync(`${ground.auto}/of-two`);
    await untilNoted(ground, storePath('c'));
  } finally {
    watcher.close();
  }
  // What a killed container has noted is enough.
  ground.unmount();
  ground.settle();
  assert.deepEqual([ground.kept(), ground.lines], [[storePath('c')], []]);
});

test('many at once are all noted', async () => {
  using ground = makeGround();
  ground.mount('/a');
  const watcher = new RootWatcher(ground.places, ground.log);
  try {
    const letters = [...'abcdfghijk'];
    for (const letter of letters) ground.build(letter, storePath(letter));
    await untilNoted(ground, ...letters.map(storePath));
  } finally {
    watcher.close();
  }
});

test("what Nix removes while a project is away does not end the project's root", async () => {
  using ground = makeGround();
  ground.mount('/a');
  ground.build('result', storePath('a'));
  ground.record();
  ground.mount('/b');
  ground.settle();
  const watcher = new RootWatcher(ground.places, ground.log);
  try {
    ground.collect();
    assert.deepEqual(ground.autoNames(), []);
    ground.build('other', storePath('b'));
    await untilNoted(ground, storePath('a'), storePath('b'));
  } finally {
    watcher.close();
  }
});

test('nothing is written for what is no root in a mounted directory, nor after the end', async () => {
  using ground = makeGround();
  ground.mount('/a');
  const watcher = new RootWatcher(ground.places, ground.log);
  symlinkSync('/nix/var/nix/profiles/p-1-link', `${ground.auto}/generation`);
  ground.build('result', storePath('a'));
  await untilNoted(ground, storePath('a'));
  const text = readFileSync(ground.places.record, 'utf8');
  watcher.close();
  ground.build('late', storePath('b'));
  await sleep(50);
  assert.equal(readFileSync(ground.places.record, 'utf8'), text);
});

test('where nothing can be watched or written it is said, and nothing ends', async () => {
  using ground = makeGround();
  ground.mount('/a');
  rmSync(ground.auto, { recursive: true });
  writeFileSync(ground.auto, 'in the way');
  new RootWatcher(ground.places, ground.log).close();
  assert.match(ground.lines.join('\n'), /^warn: .* only noted when the container ends$/);
});
