import { checked, lazily } from './libc.ts';
import { Mount, mount } from './mount.ts';

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
