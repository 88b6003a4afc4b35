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
  const required = new Map<string, string>([
    [`${xattrs} xattrs`, 'for the marks of overlayfs'],
    ['d_type', 'for whiteouts in directories'],
    ['whiteouts', 'for what is deleted of the image'],
    ['flock', 'for the lock'],
  ]);
  return Object.entries(features).flatMap(([feature, errno]): Finding[] => {
    // What a full disk refuses, or one asks without the right to, says nothing of the file system.
    if (errno !== null && (isFull(errno) || (errno === 'EPERM' && !sysAdmin))) return [];
    const why = required.get(feature);
    if (errno === null) return [fine(feature, 'works', why ?? 'not needed')];
    if (why === undefined) return [fine(feature, errno, 'not needed')];
    return [
      obstacle(fault(feature, errno, why, newVolume(cacheDir)), [feature === 'flock' ? 'lock' : 'overlay'], {
        stage: 'mount',
        what: `the file system of ${cacheDir} has no ${feature}`,
        errno,
        exitCode: Exit.io,
      }),
    ];
  });
}
