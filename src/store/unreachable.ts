import { Exit } from '../errors.ts';
import type { NoDaemon } from '../nix/hello.ts';
import type { Unsupported } from './strategy.ts';

/** What can be typed against each reason for which a nix-daemon of elsewhere cannot be spoken with. */
export type Remedies = {
  /** It, or its socket, is not here. */
  mount: string;
  /** Nobody listens. */
  start: string;
  /** It does not answer. */
  restart: string;
  /** The socket is closed to this user. */
  open: string;
  /** The daemon is. */
  allow: string;
  update: string;
  /** Whatever answers is none. */
  replace: string;
};

/** A daemon of elsewhere, for people. */
export type Daemon = { whose: string; socket: string };

/** That a strategy cannot work because a daemon cannot. */
export function unreachable(
  { what, errno }: NoDaemon,
  { whose, socket }: Daemon,
  remedies: Remedies,
): Unsupported {
  const { mount, start, restart, open, allow, update, replace } = remedies;
  const byErrno: Readonly<Record<string, string>> = {
    ENOENT: mount,
    ENOTDIR: mount,
    ECONNREFUSED: start,
    EACCES: open,
    ECONNRESET: allow,
    ETIMEDOUT: restart,
    EPROTONOSUPPORT: update,
  };
  return {
    stage: 'daemon',
    what: `the socket of ${whose}, ${socket}, ${what}`,
    errno,
    remedy: byErrno[errno] ?? replace,
    exitCode: errno === 'EACCES' ? Exit.privilege : Exit.config,
  };
}
