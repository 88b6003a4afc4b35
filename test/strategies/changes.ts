import assert from 'node:assert/strict';
import { assertVerified } from '../harness/nix.ts';
import type { NixMachine } from '../harness/nixMachine.ts';
import { beginAnew } from '../harness/nixMachine.ts';
import { build, succeeded } from './columns.ts';
import { run, type Strategy, strategies } from './ways.ts';

/** What one strategy sees, on a volume that another one used, of what that made. */
export type Seen = 'the same' | 'its own';

/** Where a root of the volume's own is; a host's are the host's, and without a volume there are none. */
const profile = '$(printenv NIX_STATE_DIR || echo /nix/var/nix)/profiles/mine';
const rooted = (strategy: Strategy): boolean => strategy !== 'host' && strategy !== 'none';
const kept = (strategy: Strategy): boolean => strategy !== 'none';

const makes = (strategy: Strategy): string =>
  rooted(strategy)
    ? `nix-env --profile ${profile} --set $(nix-build /packages.nix -A c --no-out-link); cat ${profile}/unique`
    : build('c');

/** All that a user may do there: another package, one that the other strategy may have made too, and a garbage collection. */
const uses = (strategy: Strategy): string => `
  cat $(nix-build /packages.nix -A c -A d --no-out-link | sed s,$,/unique,)
  ${strategy === 'host' ? '' : 'nix-collect-garbage >/dev/null'}`;

/** A garbage collection leaves what is rooted, what is valid need not be built, and everything is whole. */
const finds = (strategy: Strategy): string =>
  rooted(strategy)
    ? `nix-collect-garbage >/dev/null; cat ${profile}/unique; ${build('c')}; nix-store --verify --check-contents`
    : build('c');

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/**
 * Makes something with one strategy on a new volume, uses that with each other one, and goes back, each in a container of its own.
 * Each of the others boots there for the first time, and what they share among them is not what was made.
 * @returns what the others saw of it.
 */
export async function changes(nix: NixMachine, from: Strategy): Promise<Map<Strategy, Seen>> {
  await beginAnew(nix);
  const made = succeeded(await run(nix, from, makes(from)));
  assert.match(made, /^[0-9a-f-]{36}$/);

  const seen = new Map<Strategy, Seen>();
  // Beginning with the next one, so that it is not always the same that comes first.
  const at = strategies.indexOf(from);
  for (const to of [...strategies.slice(at + 1), ...strategies.slice(0, at)]) {
    await nix.switchImage('A');
    const [first] = lines(succeeded(await run(nix, to, uses(to))));
    seen.set(to, first === made ? 'the same' : 'its own');
  }

  await nix.switchImage('A');
  const back = await run(nix, from, finds(from));
  const found = lines(succeeded(back));
  if (kept(from)) {
    assert.doesNotMatch(back.stderr, /^building '/m);
    assert.deepEqual(new Set(found), new Set([made]));
    assertVerified(back);
  }
  return seen;
}
