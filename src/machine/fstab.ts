import { Exit, InitError } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { Mount, mount } from '../linux/mount.ts';
import { readIfThere } from '../linux/read.ts';

/** A line of fstab(5). */
export type TableEntry = { source: string; target: string; type: string; options: string[] };

/** Of mount(8): options that are flags to the kernel, and such as are for other programs. */
const flags: Readonly<Record<string, bigint>> = {
  ro: Mount.readOnly,
  nosuid: Mount.noSuid,
  nodev: Mount.noDev,
  noexec: Mount.noExec,
  noatime: Mount.noAtime,
};
const meaningless = /^(defaults|rw|auto|noauto|nofail|_netdev|relatime|x-.*)$/;

/** Parses fstab(5): blanks in a field are written `\040`. */
export function parseTable(text: string): TableEntry[] {
  return text.split('\n').flatMap((line) => {
    const [source, target, type, options = 'defaults'] = line
      .trim()
      .split(/\s+/)
      .map((field) =>
        field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
      );
    if (!source || source.startsWith('#') || target === undefined || type === undefined) return [];
    return [{ source, target, type, options: options.split(',') }];
  });
}

/** The line for a directory, of which the last one counts. */
export const findInTable = (target: string): TableEntry | undefined =>
  parseTable(readIfThere('/etc/fstab') ?? '').findLast((entry) => entry.target === target);

/**
 * @throws {InitError} 78 for a source that only udev or blkid would find.
 */
export function mountEntry({ source, target, type, options }: TableEntry): void {
  if (!source.startsWith('/')) {
    throw new InitError({
      stage: 'mount',
      what: `${source} of /etc/fstab is not a path`,
      errno: 'EINVAL',
      remedy: 'name the device: /dev/vdb',
      exitCode: Exit.config,
    });
  }
  const all = options.map((option) => flags[option] ?? 0n).reduce((sum, flag) => sum | flag, 0n);
  const rest = options.filter((option) => flags[option] === undefined && !meaningless.test(option));
  makeDirectories(target, 0o755);
  mount(source, target, type, all, rest.join(','));
}
