import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseOf } from '../../../../src/state/links/base.ts';
import { follow } from '../../../../src/state/links/destination.ts';
import { at, isPresent, links, type Merge, merged, mergedFrom, places } from './merging.ts';

/** A profile at one of its generations, by number: `default` → `default-1-link` → a store path. */
function profile(current: number | undefined, generations: Record<number, string>): Record<string, string> {
  const entries = Object.entries(generations).map(([n, letter]) => [
    `profiles/default-${n}-link`,
    at(letter),
  ]);
  const head = current === undefined ? {} : { 'profiles/default': `default-${current}-link` };
  return { ...head, ...Object.fromEntries(entries) };
}

const cases: [string, Merge, Record<string, string>][] = [
  [
    'a profile that nobody touched follows the image',
    { base: profile(1, { 1: 'A' }), ours: profile(1, { 1: 'A' }), theirs: profile(1, { 1: 'b' }) },
    profile(1, { 1: 'b' }),
  ],
  [
    'an old generation of the image goes when its path has, and stays as long as it is there',
    {
      base: profile(2, { 1: 'A', 2: 'b' }),
      ours: profile(2, { 1: 'A', 2: 'b' }),
      theirs: profile(3, { 3: 'c' }),
    },
    profile(3, { 2: 'b', 3: 'c' }),
  ],
  [
    "where the image's number is a user's generation, the image's gets the next one",
    {
      base: profile(1, { 1: 'a' }),
      ours: profile(1, { 1: 'a', 2: 'u', 3: 'v' }),
      theirs: profile(2, { 2: 'b' }),
    },
    profile(4, { 1: 'a', 2: 'u', 3: 'v', 4: 'b' }),
  ],
  [
    'a generation that leads to the same path is used again',
    {
      base: profile(1, { 1: 'a' }),
      ours: profile(1, { 1: 'a', 2: 'u', 3: 'b' }),
      theirs: profile(2, { 2: 'b' }),
    },
    profile(3, { 1: 'a', 2: 'u', 3: 'b' }),
  ],
  [
    "a user's own generation stays current, and gets its predecessor from the image",
    {
      base: profile(1, { 1: 'A' }),
      ours: profile(2, { 1: 'A', 2: 'u' }),
      theirs: profile(1, { 1: 'b' }),
    },
    profile(2, { 1: 'b', 2: 'u' }),
  ],
  [
    "a user's generation that is gone gives way, as the container would have no nix",
    {
      base: profile(1, { 1: 'A' }),
      ours: profile(2, { 1: 'A', 2: 'U' }),
      theirs: profile(1, { 1: 'b' }),
    },
    profile(1, { 1: 'b', 2: 'U' }),
  ],
  [
    "a current generation that is gone gives way without taking a number that is another user's generation",
    { base: profile(1, { 1: 'A' }), ours: profile(3, { 1: 'u', 3: 'U' }), theirs: profile(1, { 1: 'b' }) },
    profile(4, { 1: 'u', 3: 'U', 4: 'b' }),
  ],
  [
    'a profile whose current generation was removed is mended',
    { base: profile(1, { 1: 'a' }), ours: profile(1, {}), theirs: profile(1, { 1: 'b' }) },
    profile(1, { 1: 'b' }),
  ],
  [
    'generations that a user collected do not come back',
    {
      base: profile(1, { 1: 'a' }),
      ours: profile(5, { 5: 'u' }),
      theirs: profile(1, { 1: 'b' }),
    },
    profile(5, { 5: 'u' }),
  ],
  [
    'a profile that a user removed stays removed',
    { base: profile(1, { 1: 'a' }), ours: {}, theirs: profile(1, { 1: 'b' }) },
    {},
  ],
  [
    "a generation that a user exchanged under the image's name is the user's",
    { base: profile(1, { 1: 'a' }), ours: profile(1, { 1: 'u' }), theirs: profile(2, { 2: 'b' }) },
    profile(1, { 1: 'u', 2: 'b' }),
  ],
  [
    "with nothing known, a user's profile stays and one that leads to nothing is mended",
    {
      ours: { ...profile(1, { 1: 'u' }), 'profiles/p': 'p-1-link', 'profiles/p-1-link': at('U') },
      theirs: { ...profile(1, { 1: 'b' }), 'profiles/p': 'p-1-link', 'profiles/p-1-link': at('c') },
    },
    { ...profile(1, { 1: 'u' }), 'profiles/p': 'p-1-link', 'profiles/p-1-link': at('c') },
  ],
  [
    'roots that lead to a profile come after it',
    {
      base: { ...profile(1, { 1: 'A' }), 'gcroots/x': at('a') },
      ours: { ...profile(1, { 1: 'A' }), 'gcroots/x': '/nix/var/nix/profiles/default' },
      theirs: { ...profile(1, { 1: 'b' }), 'gcroots/x': at('c') },
    },
    { ...profile(1, { 1: 'b' }), 'gcroots/x': '/nix/var/nix/profiles/default' },
  ],
];

for (const [name, merge, expected] of cases) test(name, () => assert.deepEqual(merged(merge), expected));

test('a profile that leads to its generation by an absolute path keeps doing so, also by another number', () => {
  const dir = '/nix/var/nix/profiles';
  assert.deepEqual(
    merged({
      base: { 'profiles/default': `${dir}/default-1-link`, 'profiles/default-1-link': at('a') },
      ours: {
        'profiles/default': `${dir}/default-1-link`,
        'profiles/default-1-link': at('a'),
        'profiles/default-2-link': at('u'),
      },
      theirs: { 'profiles/default': `${dir}/default-2-link`, 'profiles/default-2-link': at('b') },
    }),
    {
      'profiles/default': `${dir}/default-3-link`,
      'profiles/default-1-link': at('a'),
      'profiles/default-2-link': at('u'),
      'profiles/default-3-link': at('b'),
    },
  );
});

test('another profile in the same directory has generations of its own', () => {
  const theirs = {
    'profiles/p': 'p-1-link',
    'profiles/p-1-link': at('a'),
    'profiles/p-1': 'p-1-2-link',
    'profiles/p-1-2-link': at('b'),
  };
  const ours = { 'profiles/p-1-link': at('u'), 'profiles/p-1-2-link': at('v') };
  assert.deepEqual(merged({ base: {}, ours, theirs }), {
    'profiles/p': 'p-2-link',
    'profiles/p-1-link': at('u'),
    'profiles/p-2-link': at('a'),
    'profiles/p-1': 'p-1-3-link',
    'profiles/p-1-2-link': at('v'),
    'profiles/p-1-3-link': at('b'),
  });
});

test('what got another number still follows the image at the next change, and the one after', () => {
  const first = mergedFrom(
    [baseOf(links(profile(1, { 1: 'a' })))],
    links(profile(1, { 1: 'a', 2: 'u' })),
    links(profile(2, { 2: 'b' })),
  );
  assert.equal(first.result['profiles/default'], 'default-3-link');
  const second = mergedFrom([first.base], first.volume, links(profile(2, { 2: 'c' })));
  assert.equal(leadsTo(second.volume), at('c'));
  assert.equal(second.result['profiles/default-2-link'], at('u'));
  const third = mergedFrom([second.base], second.volume, links(profile(1, { 1: 'a' })));
  assert.equal(leadsTo(third.volume), at('a'));
  assert.equal(third.result['profiles/default-2-link'], at('u'));
});

test('interrupted half way, and booted with yet another image, a profile follows that one', () => {
  const before = baseOf(links(profile(1, { 1: 'a' })));
  const interrupted = mergedFrom([before], links(profile(1, { 1: 'a' })), links(profile(1, { 1: 'b' })));
  const { volume } = mergedFrom(
    [before, interrupted.base],
    interrupted.volume,
    links(profile(1, { 1: 'c' })),
  );
  assert.equal(leadsTo(volume), at('c'));
});

const leadsTo = (volume: ReturnType<typeof links>): string | undefined => {
  const { destination } = follow('profiles/default', volume, places);
  return destination.kind === 'store' ? `/nix/store/${destination.name}` : destination.kind;
};

test('whatever image, base and user did: no generation of a user is lost, and the profile leads somewhere', () => {
  let merges = 0;
  const heads = [undefined, 1, 2];
  const states = (letters: string[]) =>
    heads.flatMap((head) =>
      letters.flatMap((one) =>
        letters.map((two) => profile(head, { ...(one ? { 1: one } : {}), ...(two ? { 2: two } : {}) })),
      ),
    );
  const images = states(['', 'a', 'b']).filter((tree) => leadsTo(links(tree))?.startsWith('/nix/store'));
  for (const base of [undefined, ...states(['', 'a', 'C'])]) {
    for (const ours of states(['', 'a', 'u', 'C'])) {
      for (const theirs of images) {
        merges += 1;
        const known = base === undefined ? new Map() : baseOf(links(base));
        const { result, volume } = mergedFrom([known], links(ours), links(theirs));
        const where = JSON.stringify({ base, ours, theirs });
        for (const [path, target] of Object.entries(ours))
          if (target === at('u')) assert.equal(result[path], target, where);
        const removed = base?.['profiles/default'] !== undefined && ours['profiles/default'] === undefined;
        const end = leadsTo(volume);
        if (removed) assert.equal(result['profiles/default'], undefined, where);
        else assert.ok(end !== undefined && isPresent(end), `${end}: ${where}`);
        if (base !== undefined && JSON.stringify(base) === JSON.stringify(ours))
          assert.equal(end, leadsTo(links(theirs)), where);
      }
    }
  }
  assert.ok(merges > 10_000, `${merges}`);
});
