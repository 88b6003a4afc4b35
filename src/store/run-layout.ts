/** What belongs to one boot: in the container's own layer, or on a tmpfs where that cannot be written. */
export const runDir = '/run/nix-cache-init';

const scratch = `${runDir}/scratch`;

export const runLayout = {
  /** The image's own store and state, whatever is mounted over them. */
  lowerStore: `${runDir}/lower/store`,
  lowerState: `${runDir}/lower/state`,
  /** The further lowers, by numbers: overlayfs takes no more than a page of options. */
  lower: (number: number): string => `${runDir}/lower/${number}`,
  /** The image's database once more, in a state directory in which Nix finds what it would else make there. */
  lowerNix: `${runDir}/lower/nix`,
  /** Held for as long as something of ours is mounted here: another init must not take it for what a killed one left. */
  claim: `${runDir}/lock`,
  /** Where a running init answers. */
  control: `${runDir}/control.sock`,
  /** How the last boot failed. */
  failure: `${runDir}/failure.json`,
  /** What the boot did and how long it took. */
  record: `${runDir}/boot.json`,
  builds: `${runDir}/builds`,
  nixConf: `${runDir}/nix.conf`,
  /** What a reader has for its own. Store paths in memory: the container's own layer is an overlay, which cannot be an upper. */
  scratch,
  upper: `${scratch}/upper`,
  work: `${scratch}/work`,
  mask: `${scratch}/mask`,
  masks: `${scratch}/masks`,
  state: `${runDir}/state`,
  log: `${runDir}/log`,
  /** For files that are needed while the state is made, and then no more. */
  snapshot: `${runDir}/snapshot`,
} as const;
