import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReadOnly, mountOf, parseMountInfo } from '../../../src/linux/mountinfo.ts';

const one = (line: string) => parseMountInfo(`${line}\n`)[0];

test('a line with optional fields', () => {
  const line = '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue';
  assert.deepEqual(one(line), {
    id: 36,
    parent: 35,
    root: '/mnt1',
    target: '/mnt2',
    options: ['rw', 'noatime'],
    type: 'ext3',
    source: '/dev/root',
    superOptions: ['rw', 'errors=continue'],
  });
});

test('a line without optional fields', () => {
  const mount = one('36 35 98:0 / /nix-cache rw - xfs /dev/sdb ro');
  assert.deepEqual([mount?.target, mount?.type, mount?.superOptions], ['/nix-cache', 'xfs', ['ro']]);
});

test('escaped blanks, tabs, line breaks and backslashes in paths', () => {
  const mount = one('36 35 98:0 /a\\040b /c\\011d\\012e\\134f rw - btrfs /dev/x\\040y rw');
  assert.deepEqual([mount?.root, mount?.target, mount?.source], ['/a b', '/c\td\ne\\f', '/dev/x y']);
});

test('a backslash that was escaped is not unescaped twice', () => {
  assert.equal(one('36 35 98:0 / /a\\134040b rw - ext4 x rw')?.target, '/a\\040b');
});

test('a hyphen as path is no separator', () => {
  assert.equal(one('36 35 98:0 / /- rw - tmpfs x rw')?.target, '/-');
});

test('a hyphen as source is no separator', () => {
  const mount = one('36 35 98:0 / /t rw - tmpfs - ro,size=1k');
  assert.deepEqual([mount?.source, mount?.superOptions], ['-', ['ro', 'size=1k']]);
});

test('an empty source is kept apart from the options', () => {
  const mount = one('36 35 98:0 / /t rw - tmpfs  ro');
  assert.deepEqual([mount?.source, mount?.superOptions], ['', ['ro']]);
});

test('nothing, blank lines and rubbish give no mounts', () => {
  assert.deepEqual(parseMountInfo(''), []);
  assert.deepEqual(parseMountInfo('\n\nrubbish\n'), []);
});

test('the order of the file is kept', () => {
  const text = ['/', '/b', '/a'].map((target) => `1 1 0:1 / ${target} rw - ext4 x rw`).join('\n');
  assert.deepEqual(
    parseMountInfo(text).map(({ target }) => target),
    ['/', '/b', '/a'],
  );
});

const table = parseMountInfo(
  [
    '1 0 0:1 / / rw - overlay overlay rw',
    '2 1 0:2 / /nix-cache rw - ext4 /dev/a rw',
    '3 1 0:3 / /nix rw - xfs /dev/b rw',
    '4 3 0:4 / /nix/store rw - tmpfs old rw',
    '5 4 0:5 / /nix/store rw - tmpfs new rw',
  ].join('\n'),
);

const places: [string, string][] = [
  ['/', 'overlay'],
  ['/etc/nix', 'overlay'],
  ['/nix-cache', '/dev/a'],
  ['/nix-cache/upper', '/dev/a'],
  ['/nix-cache2', 'overlay'],
  ['/nix', '/dev/b'],
  ['/nix/var', '/dev/b'],
  ['/nix/store', 'new'],
  ['/nix/store/x', 'new'],
  ['/nix/store2', '/dev/b'],
];

for (const [path, source] of places) {
  test(`${path} lies on ${source}`, () => assert.equal(mountOf(path, table)?.source, source));
}

test('without mounts a path lies on none', () => assert.equal(mountOf('/x', []), undefined));

test('a mount over a parent hides the mounts below it', () => {
  const later = parseMountInfo('6 1 0:6 / /nix rw - ext4 /dev/c rw');
  assert.equal(mountOf('/nix/store/x', [...table, ...later])?.source, '/dev/c');
});

// As the kernel lists them; the path walk meets the mount over a parent first, and never comes to the old one below.
const hiding: [string, string[]][] = [
  [
    'on a mount',
    [
      '2 1 0:2 / /nix rw - xfs low rw',
      '3 2 0:3 / /nix/store rw - tmpfs old rw',
      '4 2 0:4 / /nix rw - tmpfs over rw',
    ],
  ],
  ['on a plain directory', ['2 1 0:2 / /nix/store rw - tmpfs old rw', '3 1 0:3 / /nix rw - tmpfs over rw']],
];

for (const [name, lines] of hiding) {
  test(`a later mount over a parent ${name} hides one that shares its own parent`, () => {
    const mounts = parseMountInfo(['1 0 0:1 / / rw - overlay overlay rw', ...lines].join('\n'));
    assert.equal(mountOf('/nix/store/x', mounts)?.source, 'over');
  });
}

test('mounts on a hidden mount are hidden with it, and those on the one that hides it count', () => {
  const later = parseMountInfo(
    ['6 1 0:6 / /nix rw - ext4 /dev/c rw', '7 6 0:7 / /nix/store rw - ext4 /dev/d rw'].join('\n'),
  );
  const mounts = [...table, ...later];
  assert.equal(mountOf('/nix/store/x', mounts)?.source, '/dev/d');
  assert.equal(mountOf('/nix/var', mounts)?.source, '/dev/c');
});

test('the root is found where it is its own parent, and where the parent is out of sight', () => {
  for (const parent of [1, 77]) {
    const mounts = parseMountInfo(`1 ${parent} 0:1 / / rw - ext4 root rw\n2 1 0:2 / /a rw - ext4 a rw\n`);
    assert.equal(mountOf('/b', mounts)?.source, 'root');
    assert.equal(mountOf('/a/b', mounts)?.source, 'a');
  }
});

test('a root mounted over the root is the one that counts', () => {
  const mounts = parseMountInfo('1 0 0:1 / / rw - rootfs old rw\n2 1 0:2 / / rw - overlay new rw\n');
  assert.equal(mountOf('/a', mounts)?.source, 'new');
});

const modes: [string, string, boolean][] = [
  ['rw,noatime', 'rw', false],
  ['ro', 'rw', true],
  ['rw', 'ro', true],
  ['rw', 'rw,errors=remount-ro', false],
];

for (const [options, superOptions, expected] of modes) {
  test(`mount ${options}, file system ${superOptions}: ${expected ? 'read-only' : 'writable'}`, () => {
    const mount = one(`1 1 0:1 / /x ${options} - ext4 x ${superOptions}`);
    assert.equal(mount && isReadOnly(mount), expected);
  });
}
