import { readlinkSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { checked, lazily } from './libc.ts';
import { Mount, mount, unmount } from './mount.ts';

const unshare1 = lazily('unshare', { return: 'int32', arguments: ['int32'] });

const CLONE_NEWNS = 0x20000;

/**
 * Gives the main thread a mount namespace of its own, from which nothing gets out (unshare(2), mount_namespaces(7)). There is no
 * way back: for processes that have nothing else to do.
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN, EACCES when a security module denies it.
 */
export function enterOwnMountNamespace(): void {
  checked('unshare', () => unshare1()(CLONE_NEWNS));
  mount('none', '/', 'none', Mount.recursive | Mount.private);
}

/** The first PID namespace there is: PROC_PID_INIT_INO of <linux/proc_ns.h>, the same in every kernel. */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

/**
 * Whether the kernel started this process as its init, on a machine and not in a container. Where there is no /proc to ask, it is
 * mounted, and stays so on a machine.
 */
export function isKernelsInit(): boolean {
  if (process.pid !== 1) return false;
  try {
    return isFirst();
  } catch (error) {
    // Whoever may not ask is in no machine of ours.
    if (!hasErrno(error, 'ENOENT')) return false;
  }
  try {
    mount('proc', '/proc', 'proc', Mount.noSuid | Mount.noDev | Mount.noExec);
    if (isFirst()) return true;
    unmount('/proc');
  } catch {
    // Of a container: the boot says what it lacks.
  }
  return false;
}

const isFirst = (): boolean => readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE;
