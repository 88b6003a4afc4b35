import type { Features } from '../../../src/doctor/features.ts';
import type { NixFacts } from '../../../src/doctor/nix.ts';
import type { Trial } from '../../../src/doctor/probe/mounting.ts';
import type { VolumeState } from '../../../src/doctor/volume.ts';

/** A mount that was tried, and worked. */
export const mounted: Trial = { mounting: null, overlay: null };

export const makeFeatures = (changes: Partial<Features> = {}): Features => ({
  'trusted xattrs': null,
  'user xattrs': null,
  d_type: null,
  whiteouts: null,
  RENAME_WHITEOUT: null,
  O_TMPFILE: null,
  'hard links': null,
  flock: null,
  ...changes,
});

const GIB = 1024 ** 3;

/** A used volume with room for everything. */
export const makeState = (changes: Partial<VolumeState> = {}): VolumeState => ({
  room: { bytes: { free: 10 * GIB, total: 20 * GIB }, inodes: { free: 1000, total: 2000 } },
  manifest: null,
  together: true,
  seeded: true,
  seedBytes: 8 * 1024 ** 2,
  tried: makeFeatures(),
  ...changes,
});

export const makeNix = (changes: Partial<NixFacts> = {}): NixFacts => ({
  command: '/bin/nix',
  settings: { sandbox: 'true', sandboxFallback: true, buildUsersGroup: 'nixbld' },
  buildUsers: 10,
  schemas: { image: 10, volume: 10 },
  newer: null,
  socket: undefined,
  ...changes,
});
