import { existsSync, symlinkSync } from 'node:fs';
import { makeDirectories } from '../linux/directories.ts';
import { Mount, mount } from '../linux/mount.ts';
import { readMountInfo } from '../linux/mountinfo.ts';

const { noSuid, noDev, noExec } = Mount;

/** What every program may expect (file-hierarchy(7)). /proc first: it tells what is mounted. */
const basics = [
  { target: '/proc', type: 'proc', flags: noSuid | noDev | noExec, options: '' },
  { target: '/sys', type: 'sysfs', flags: noSuid | noDev | noExec, options: '' },
  { target: '/dev', type: 'devtmpfs', flags: noSuid, options: 'mode=755' },
  { target: '/dev/pts', type: 'devpts', flags: noSuid | noExec, options: 'mode=620,ptmxmode=666,gid=5' },
  { target: '/dev/shm', type: 'tmpfs', flags: noSuid | noDev, options: 'mode=1777' },
  { target: '/run', type: 'tmpfs', flags: noSuid | noDev, options: 'mode=755' },
] as const;

/** The names that shells and builders use (fd(4)). */
const links = {
  '/dev/fd': '/proc/self/fd',
  '/dev/stdin': '/proc/self/fd/0',
  '/dev/stdout': '/proc/self/fd/1',
  '/dev/stderr': '/proc/self/fd/2',
};

/** Mounts what is not mounted: an initramfs may have left all of it. */
export function mountBasics(): void {
  for (const { target, type, flags, options } of basics) {
    if (readMountInfo().some((mounted) => mounted.target === target)) continue;
    makeDirectories(target, 0o755);
    mount(type, target, type, flags, options);
  }
  for (const [name, target] of Object.entries(links)) if (!existsSync(name)) symlinkSync(target, name);
}
