import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { measureCache, measureStore } from '../../../src/gc/measure.ts';
import { Space, spaceOf } from '../../../src/gc/space.ts';

const name = (text: string): string => `${text.padEnd(32, '0').replaceAll(/[eotu]/g, 'x')}-${text}`;

function withStore(act: (directory: string) => Promise<void>) {
  return async (): Promise<void> => {
    const directory = mkdtempSync(join(tmpdir(), 'nix-cache-init-gc-'));
    try {
      await act(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

const du = (directory: string): number =>
  Number(
    execFileSync('du', ['--summarize', '--block-size=1', directory], { encoding: 'utf8' }).split('\t')[0],
  );

const [a, b] = [name('a'), name('b')];

/** Equal files as an optimised store has them, a large hole, links and odd names. */
function fill(directory: string): void {
  for (const path of [a, b, '.links', 'tmp-7-0']) mkdirSync(join(directory, path));
  writeFileSync(join(directory, '.links', 'equal'), Buffer.alloc(300_000, 1));
  for (const path of [a, b]) linkSync(join(directory, '.links', 'equal'), join(directory, path, 'equal'));
  writeFileSync(join(directory, a, 'hole'), 'x');
  truncateSync(join(directory, a, 'hole'), 50_000_000);
  symlinkSync('/no/where', join(directory, b, 'dangling'));
  writeFileSync(
    Buffer.concat([Buffer.from(`${join(directory, b)}/`), Buffer.from([0xff, 0xfe])]),
    'not UTF-8',
  );
  writeFileSync(join(directory, 'tmp-7-0', 'x'), Buffer.alloc(20_000, 2));
}

test(
  'a store takes what du(1) says: links once, holes not at all',
  withStore(async (directory) => {
    fill(directory);
    const measured = await measureStore(directory);
    assert.equal(measured.bytes, du(directory));
    assert.deepEqual([...measured.paths.keys()].sort(), [a, b]);
    assert.deepEqual(measured.strays, ['tmp-7-0']);
    assert.equal(spaceOf(measured.paths.values()), measured.bytes - du(join(directory, 'tmp-7-0')) - 8192);
  }),
);

test(
  'what goes is freed as the disk frees it',
  withStore(async (directory) => {
    fill(directory);
    const { bytes, paths } = await measureStore(directory);
    const space = new Space(bytes, paths.values());
    for (const path of [a, b]) {
      const usage = paths.get(path);
      assert.ok(usage);
      space.release(usage);
      rmSync(join(directory, path), { recursive: true });
      if (path === a) assert.equal(space.bytes, du(directory));
    }
    rmSync(join(directory, '.links', 'equal'));
    assert.equal(space.bytes, du(directory));
  }),
);

test(
  'a path was read when one of its files was, and files that others share tell nothing',
  withStore(async (directory) => {
    fill(directory);
    utimesSync(join(directory, '.links', 'equal'), 4000, 1);
    utimesSync(join(directory, a, 'hole'), 3000, 1);
    const { paths } = await measureStore(directory);
    assert.equal(paths.get(a)?.read, 3_000_000);
  }),
);

test(
  'a cache has its paths, and what it shares with the image takes no space of it',
  withStore(async (directory) => {
    fill(directory);
    const image = join(directory, 'tmp-7-0');
    for (const path of [a, name('c')]) mkdirSync(join(image, path));
    const size = await measureCache({ directory, lowers: [image] });
    assert.deepEqual(size, { bytes: du(directory), paths: 2, sharedWithImage: 1 });
    assert.deepEqual(await measureCache({ directory: join(directory, 'none'), lowers: [] }), {
      bytes: 0,
      paths: 0,
      sharedWithImage: 0,
    });
  }),
);

test(
  'a binary cache has as many paths as it describes',
  withStore(async (directory) => {
    mkdirSync(join(directory, 'nar'));
    for (const file of ['nix-cache-info', 'a.narinfo', 'b.narinfo', 'nar/x.nar.zst'])
      writeFileSync(join(directory, file), Buffer.alloc(5000, 1));
    const { bytes, paths } = await measureCache({ directory, lowers: [] });
    assert.deepEqual({ bytes, paths }, { bytes: du(directory), paths: 2 });
  }),
);

test(
  'measuring can be broken off',
  withStore(async (directory) => {
    fill(directory);
    await assert.rejects(
      measureStore(directory, { signal: AbortSignal.abort(new Error('enough')) }),
      /enough/,
    );
  }),
);
