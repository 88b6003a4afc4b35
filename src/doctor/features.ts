import { Exit } from '../errors.ts';
import { type Finding, fault, fine, newVolume, obstacle } from './check.ts';

export const isFull = (errno: string): boolean => errno === 'ENOSPC' || errno === 'EDQUOT';

/** What was tried on the volume's file system: null where it worked, else the errno. */
export type Features = Record<
  | 'trusted xattrs'
  | 'user xattrs'
  | 'd_type'
  | 'whiteouts'
  | 'RENAME_WHITEOUT'
  | 'O_TMPFILE'
  | 'hard links'
  | 'flock',
  string | null
>;

/** Whether the file system can be the upper layer of an overlay (overlayfs.rst, "Upper and Lower"). */
export function featureChecks(
  features: Features,
  { xattrs, sysAdmin, cacheDir }: { xattrs: 'trusted' | 'user'; sysAdmin: boolean; cacheDir: string },
): Finding[] {
  // What goes wrong without: measured, with Nix 2.26 on ramfs and on an ext4 made without filetype.
  const required = new Map<string, string>([
    [`${xattrs} xattrs`, 'or EIO when image paths are deleted'],
    ['d_type', 'or ENOTEMPTY when image paths are deleted'],
    ['whiteouts', 'to delete image paths'],
    ['flock', 'for the lock'],
  ]);
  return Object.entries(features).flatMap(([feature, errno]): Finding[] => {
    // What a full disk refuses, or one asks without the right to, says nothing of the file system.
    if (errno !== null && (isFull(errno) || (errno === 'EPERM' && !sysAdmin))) return [];
    const why = required.get(feature);
    if (errno === null) return [fine(feature, 'works', why ?? 'not needed')];
    if (why === undefined) return [fine(feature, errno, 'not needed')];
    const finding = fault(feature, errno, why, newVolume(cacheDir));
    const what = `the file system of ${cacheDir} has no ${feature}`;
    const failure = { stage: 'mount', what, errno, exitCode: Exit.io } as const;
    // Overlayfs makes do without, and tells the kernel log.
    return feature === 'flock'
      ? [obstacle(finding, ['lock'], failure)]
      : [obstacle(finding, ['overlay'], failure, true)];
  });
}
