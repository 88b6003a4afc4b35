import type { ImageName } from '../harness/nixMachine.ts';

/** A boot that something happens to, with the volume as it is before it and the image that comes after it. */
export interface Scenario {
  name: string;
  /** The volume: of a user of image A, or new. */
  volume: 'used' | 'new';
  /** Boots that go well, before it. */
  before: ImageName[];
  image: ImageName;
  /** The boot after it. */
  after: ImageName;
  daemon?: boolean;
  /** A shell script for the running container: it happens after that, at the shutdown. */
  work?: string;
}

export const scenarios: Scenario[] = [
  { name: 'first boot', volume: 'new', before: [], image: 'A', after: 'A' },
  { name: 'unchanged boot', volume: 'used', before: ['A', 'A'], image: 'A', after: 'A', daemon: true },
  { name: 'upgrade', volume: 'used', before: [], image: 'B', after: 'B' },
  { name: 'upgrade, then the old image', volume: 'used', before: [], image: 'B', after: 'A' },
  { name: 'downgrade', volume: 'used', before: ['B'], image: 'A', after: 'A' },
  { name: 'another image', volume: 'used', before: ['A'], image: 'C', after: 'C' },
  {
    ...{ name: 'shutdown', volume: 'used', before: ['A'], image: 'A', after: 'A', daemon: true },
    work: 'nix-build /packages.nix -A e --out-link /nix/var/nix/gcroots/e',
  },
];

/**
 * What a user of image A leaves: builds that the upgrade has too, builds on what it no longer has, a profile, a root, and
 * a whiteout over an image path.
 */
export const use = `
build() { nix-build /packages.nix -A "$1" --no-out-link; }
nix-env --profile /nix/var/nix/profiles/per-user/root/profile --set "$(build d)"
ln -s "$(build on-on-old)" /nix/var/nix/gcroots/user
build side
rm /nix/var/nix/gcroots/old
rm -rf "$(build w)"
`;
