import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { type MountInfo, parseMountInfo, readMountInfo } from '../linux/mountinfo.ts';
import { listProcesses } from '../linux/process.ts';

/** Who keeps a mount busy; without a process it is another mount on it. */
export type MountUser = { pid: number | null; name: string; path: string };

const O_PATH = 0o10000000;
/** A process may end, or its memory change, while we look; of some we may not see it. Then umount(2) has the last word. */
const gone = ['ENOENT', 'ESRCH', 'ENXIO', 'ELOOP', 'EACCES', 'EPERM'];

/** Who uses what is mounted at `targets`, in this mount namespace or, the same mounts, in another one. */
export function usersOf(targets: readonly string[]): MountUser[] {
  const here = readMountInfo();
  const ours = here.filter(({ target }) => targets.includes(target));
  const wanted = new Set(ours.map(identify));
  const namespaces = new Map<string, ReadonlySet<number>>();
  const users: MountUser[] = here
    .filter((mount) => !ours.includes(mount) && ours.some(({ id }) => id === mount.parent))
    .map(({ type, target }) => ({ pid: null, name: `${type} mount`, path: target }));
  for (const { pid, name } of listProcesses()) {
    if (pid === process.pid) continue;
    const ids = unlessGone(() => mountsOf(pid));
    if (ids === undefined || ids.size === 0) continue;
    // Names spare looking closer; in another namespace they may begin elsewhere.
    const near = (link: Link): boolean => isForeign(pid) || isBelow(link, targets);
    const path = openFiles(pid).find((link) => near(link) && isOn(link, ids))?.shown;
    if (path !== undefined) users.push({ pid, name, path });
  }
  return users;

  function isForeign(pid: number): boolean {
    return unlessGone(() => readlinkSync(`/proc/${pid}/ns/mnt`)) !== readlinkSync('/proc/self/ns/mnt');
  }

  /** The mounts in question, by the numbers that they have in a process's mount namespace. */
  function mountsOf(pid: number): ReadonlySet<number> {
    const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
    let ids = namespaces.get(namespace);
    if (ids === undefined) {
      const mounts = parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
      ids = new Set(mounts.filter((mount) => wanted.has(identify(mount))).map(({ id }) => id));
      namespaces.set(namespace, ids);
    }
    return ids;
  }
}

/** Who has files open below a directory, by their names alone: whatever they are on. */
export function openBelow(directory: string): MountUser[] {
  const others = listProcesses().filter(({ pid }) => pid !== process.pid);
  return others.flatMap(({ pid, name }): MountUser[] => {
    const shown = openFiles(pid).find((link) => isBelow(link, [directory]))?.shown;
    return shown === undefined ? [] : [{ pid, name, path: shown }];
  });
}

/** As people see it: each in one phrase, not more than a few. */
export function describeUsers(users: readonly MountUser[]): string {
  const shown = users.slice(0, SHOWN).map(({ pid, name, path }) => `${name} (${nameOf(pid)}${path})`);
  const more = users.length > SHOWN ? [`${users.length - SHOWN} more`] : [];
  return [...shown, ...more].join(', ');
}

const SHOWN = 4;
const nameOf = (pid: number | null): string => (pid === null ? '' : `PID ${pid}, `);

/** The same file system, the same part of it, at the same place: in another namespace a mount has another number. */
const identify = ({ root, target, type, source, superOptions }: MountInfo): string =>
  JSON.stringify([root, target, type, source, ...superOptions.filter((option) => option.includes('dir='))]);

type Link = { link: string; shown: string; fdinfo?: string };

/** Working directory, root, program, open and mapped files: what umount(2) finds busy. */
function openFiles(pid: number): Link[] {
  const own = ['cwd', 'root', 'exe'].map((name) => ({ link: `/proc/${pid}/${name}` }));
  const opened = namesIn(`/proc/${pid}/fd`).map((fd) => ({
    link: `/proc/${pid}/fd/${fd}`,
    fdinfo: `/proc/${pid}/fdinfo/${fd}`,
  }));
  const mapped = namesIn(`/proc/${pid}/map_files`).map((range) => ({
    link: `/proc/${pid}/map_files/${range}`,
  }));
  return [...own, ...opened, ...mapped].flatMap((entry) => {
    const shown = unlessGone(() => readlinkSync(entry.link));
    return shown === undefined ? [] : [{ ...entry, shown }];
  });
}

const namesIn = (directory: string): string[] => unlessGone(() => readdirSync(directory)) ?? [];

const isBelow = ({ shown }: Link, targets: readonly string[]): boolean =>
  targets.some((target) => shown === target || shown.startsWith(`${target}/`));

/** Names do not tell: what was opened before something was mounted over it is still what it was. */
function isOn({ link, fdinfo }: Link, ids: ReadonlySet<number>): boolean {
  const text = unlessGone(() => (fdinfo === undefined ? infoOf(link) : readFileSync(fdinfo, 'latin1')));
  const id = /^mnt_id:\s+(\d+)$/m.exec(text ?? '')?.[1];
  return id !== undefined && ids.has(Number(id));
}

function infoOf(link: string): string {
  const fd = openSync(link, O_PATH | constants.O_RDONLY);
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  } finally {
    closeSync(fd);
  }
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (hasErrno(error, ...gone)) return undefined;
    throw error;
  }
}
