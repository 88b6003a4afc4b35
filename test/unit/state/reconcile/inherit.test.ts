import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { databaseFile } from '../../../../src/state/database.ts';
import { pairUp } from '../../../../src/state/reconcile/inherit.ts';
import { temporaryDirectory } from '../../fixtures.ts';
import { Ground, named } from './ground.ts';

async function withGround(act: (ground: Ground) => Promise<void>): Promise<void> {
  using directory = temporaryDirectory();
  await act(new Ground(directory.path));
}

/** What an upgrade is to leave alone: the IDs of paths, and which of them refer to which. */
const references = (ground: Ground) =>
  ground.rows('select rowid, referrer, reference from Refs order by rowid');
const id = (ground: Ground, name: string): unknown => ground.row(name)['id'];

test('new paths of the image have the rows of those that are gone, and what refers to what stays as it is', () =>
  withGround(async (ground) => {
    ground.makeImage('A', {
      'libc-1': {},
      'app-1': { refs: ['libc-1', 'app-1'] },
      'tool-1': { refs: ['libc-1'] },
    });
    ground.makeImage('B', {
      'libc-2': {},
      new: {},
      'tool-2': { refs: ['libc-2'] },
      'app-2': { refs: ['libc-2', 'app-2'] },
    });
    await ground.boot('A');
    const before = references(ground);
    const ids = ['app-1', 'libc-1', 'tool-1'].map((name) => id(ground, name));
    const done = await ground.boot('B');
    assert.deepEqual(ground.valid(), ['app-2', 'libc-2', 'new', 'tool-2']);
    assert.deepEqual(
      ['app-2', 'libc-2', 'tool-2'].map((name) => id(ground, name)),
      ids,
    );
    assert.deepEqual(references(ground), before);
    assert.deepEqual(done?.forgotten.map((path) => path.slice(44)).sort(), ['app-1', 'libc-1', 'tool-1']);
    assert.equal(done?.learnt, 4);
    assert.deepEqual(ground.roots(), ['app-2', 'new', 'tool-2']);
  }));

test('who has another’s row refers to what its own image says, and nothing refers to it that did not', () =>
  withGround(async (ground) => {
    ground.makeImage('A', { base: {}, lib1: { refs: ['base'] }, prog: { refs: ['lib1'], hash: 'sha256:1' } });
    ground.makeImage('B', { base: {}, lib2: { refs: ['lib2'] }, prog: { refs: ['base'], hash: 'sha256:2' } });
    await ground.boot('A');
    ground.build({ mine: { refs: ['base'] }, lost: { refs: ['lib1'] }, lostToo: { refs: ['lost', 'mine'] } });
    rmSync(`${ground.volume.upper}/${named('lost')}`, { recursive: true });
    rmSync(`${ground.volume.upper}/${named('lostToo')}`, { recursive: true });
    const row = id(ground, 'lib1');
    const done = await ground.boot('B');
    assert.equal(id(ground, 'lib2'), row);
    assert.deepEqual(ground.valid(), ['base', 'lib2', 'mine', 'prog']);
    assert.deepEqual(ground.row('lib2')['refs'], ['lib2']);
    assert.deepEqual(ground.row('prog')['refs'], ['base']);
    assert.equal(references(ground).length, 3);
    assert.equal(done?.forgotten.length, 3);
  }));

test('what a derivation had as its output is forgotten with the path, although its row stays', () =>
  withGround(async (ground) => {
    ground.makeImage('A', { lib1: {} });
    ground.makeImage('B', { lib2: {} });
    await ground.boot('A');
    {
      using database = new DatabaseSync(databaseFile(ground.volume.state));
      database.exec(`
        create table Realisations (id integer primary key, drvPath text, outputName text,
          outputPath integer references ValidPaths(id), signatures text);
        create table RealisationsRefs (referrer integer, realisationReference integer);
        insert into Realisations select 1, 'drv', 'out', id, '' from ValidPaths;
        insert into RealisationsRefs values (1, 1)`);
    }
    await ground.boot('B');
    assert.deepEqual(ground.valid(), ['lib2']);
    assert.deepEqual(ground.rows('select id from Realisations'), []);
    assert.deepEqual(ground.rows('select referrer from RealisationsRefs'), []);
  }));

test('the row of a path that the image calls valid and does not have is nobody else’s: it is no root', () =>
  withGround(async (ground) => {
    ground.makeImage('A', { lib1: {}, user: { refs: ['lib1', 'other'] }, other: {} });
    await ground.boot('A');
    const paths = { lib1: {}, other: {}, user: { refs: ['lib1', 'other'] }, lib2: {} };
    ground.makeImage('B', paths, { absent: ['lib1'] });
    await ground.boot('B');
    assert.deepEqual(ground.valid(), ['lib2', 'other']);
    assert.deepEqual(ground.roots(), ['lib2', 'other']);
  }));

test('a database with columns that the image’s has not gives no rows away', () =>
  withGround(async (ground) => {
    ground.makeImage('A', { lib1: {} });
    ground.makeImage('B', { lib2: {} });
    await ground.boot('A');
    {
      using database = new DatabaseSync(databaseFile(ground.volume.state));
      database.exec(`alter table ValidPaths add column later text; update ValidPaths set later = 'of lib1'`);
    }
    await ground.boot('B');
    assert.deepEqual(ground.valid(), ['lib2']);
    assert.equal(ground.row('lib2')['later'], null);
  }));

test('paths of the same name are paired first, then other versions, then whatever there is', () => {
  const path = (hash: string, name: string): string => `/nix/store/${hash.repeat(32)}-${name}`;
  const gone = ['zlib-1', 'openssl-3.0.1', 'glibc-2.40', 'bash-5.1', 'bash-5.2'].map((name) =>
    path('z', name),
  );
  const coming = ['curl-8', 'glibc-2.40', 'bash-5.2', 'openssl-3.0.2', 'bash-5.3', 'one-more', 'too-much'];
  const pairs = pairUp(
    gone,
    coming.map((name) => ({ path: path('0', name) })),
  ).map(([one, other]) => [one.slice(44), other.path.slice(44)]);
  assert.deepEqual(pairs, [
    ['bash-5.2', 'bash-5.2'],
    ['glibc-2.40', 'glibc-2.40'],
    ['bash-5.1', 'bash-5.3'],
    ['openssl-3.0.1', 'openssl-3.0.2'],
    ['zlib-1', 'curl-8'],
  ]);
});
