import { readFileSync } from 'node:fs';

/** One line of /proc/PID/mountinfo: proc_pid_mountinfo(5). */
export type MountInfo = {
  id: number;
  /** The mount that this one lies on. */
  parent: number;
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
    // Optional fields of unknown number end with a lone hyphen; a source may be one, too.
    const separator = line.indexOf(' - ');
    const [id, parent, , root, target, options] = line.slice(0, separator).split(' ');
    const [type, source, superOptions] = line.slice(separator + 3).split(' ');
    if (separator < 0 || root === undefined || target === undefined || type === undefined) continue;
    mounts.push({
      id: Number(id),
      parent: Number(parent),
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

/**
 * The mount that a path lies on. Found as the kernel walks the path: among the mounts on one mount it meets the one on the
 * shortest path first, and that hides what was mounted below it before.
 */
export function mountOf(path: string, mounts: readonly MountInfo[]): MountInfo | undefined {
  const above = mounts
    .filter(({ target }) => target === '/' || path === target || path.startsWith(`${target}/`))
    .toReversed()
    .toSorted((a, b) => a.target.length - b.target.length);
  const known = new Set(mounts.map(({ id }) => id));
  let found = above.find(({ id, parent }) => id === parent || !known.has(parent));
  for (let next = found; next !== undefined; ) {
    found = next;
    const { id } = next;
    next = above.find((mount) => mount.parent === id && mount.id !== id);
  }
  return found;
}

/** A mount is read-only by its own flag or by its file system's. */
export function isReadOnly(mount: MountInfo): boolean {
  return mount.options.includes('ro') || mount.superOptions.includes('ro');
}

/** Whether a mount is an overlay on a directory, with another one as its upper layer. */
export function isOverlayOn(
  { target, type, superOptions }: MountInfo,
  store: string,
  upper: string,
): boolean {
  return target === store && type === 'overlay' && superOptions.includes(`upperdir=${upper}`);
}
