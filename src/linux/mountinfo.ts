import { readFileSync } from 'node:fs';

/** One line of /proc/PID/mountinfo: proc_pid_mountinfo(5). */
export type MountInfo = {
  /** What part of the file system is mounted. */
  root: string;
  target: string;
  /** Options of this mount (`ro`, `nosuid`, …). */
  options: readonly string[];
  type: string;
  source: string;
  /** Options of the file system (`ro`, `lowerdir=…`). */
  superOptions: readonly string[];
};

/** Blanks in paths are written as octal escapes. */
function decodeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * Parses mountinfo, oldest mount first.
 * @example parseMountInfo('36 35 98:0 / /mnt rw - ext3 /dev/sda1 rw')[0].target === '/mnt'
 */
export function parseMountInfo(text: string): MountInfo[] {
  const mounts: MountInfo[] = [];
  for (const line of text.split('\n')) {
    // Optional fields of unknown number end with a lone hyphen.
    const [left, right] = line.split(' - ', 2);
    const [, , , root, target, options] = left?.split(' ') ?? [];
    const [type, source, superOptions] = right?.split(' ') ?? [];
    if (root === undefined || target === undefined || type === undefined) continue;
    mounts.push({
      root: decodeOctal(root),
      target: decodeOctal(target),
      options: options?.split(',') ?? [],
      type,
      source: decodeOctal(source ?? ''),
      superOptions: superOptions?.split(',') ?? [],
    });
  }
  return mounts;
}

/** The mounts of this process's mount namespace. @throws where /proc is not mounted. */
export function readMountInfo(): MountInfo[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The mount that a path lies on: the deepest target above it, and of several on one target the newest. */
export function mountOf(path: string, mounts: readonly MountInfo[]): MountInfo | undefined {
  let found: MountInfo | undefined;
  for (const mount of mounts) {
    const above = mount.target === '/' || path === mount.target || path.startsWith(`${mount.target}/`);
    if (above && mount.target.length >= (found?.target.length ?? 0)) found = mount;
  }
  return found;
}

/** A mount is read-only by its own flag or by its file system's. */
export function isReadOnly(mount: MountInfo): boolean {
  return mount.options.includes('ro') || mount.superOptions.includes('ro');
}
