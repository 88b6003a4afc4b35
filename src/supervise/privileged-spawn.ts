import { fchownSync, fstatSync, readFileSync } from 'node:fs';
import { Exit, hasErrno, InitError } from '../errors.ts';
import { capabilityMask, capabilityNumbers, setCapabilities } from '../linux/capabilities.ts';
import { asIdentity, type Identity, parseCredentials, puttingBack } from '../linux/credentials.ts';
import { cString, errnoNumber, rawEnvironment } from '../linux/libc.ts';
import { Prctl } from '../linux/prctl.ts';
import { type SpawnCall, type SpawnRequest, spawn } from '../linux/spawn.ts';
import { isTerminal } from '../linux/terminal.ts';
import { type Call, onOwnThread } from '../linux/thread.ts';
import type { Privileges } from './privileges.ts';

/**
 * Starts the main command with its privileges, not init's. What can be taken back the main thread does for the time of the
 * call; what cannot, a thread that ends with it. So init can unmount, and the daemon has all it needs, at any time later.
 * @returns its PID.
 * @throws {SystemError} as `spawn`; {InitError} 77 when the kernel did not do as it was told.
 */
export function spawnPrivileged(request: SpawnRequest, privileges: Privileges): number {
  const { user, become, own, change, noNewPrivileges } = privileges;
  if (user !== undefined) for (const fd of [0, 1, 2]) handOver(fd, user);
  const forGood = change.droppable !== 0n || noNewPrivileges;
  const complete: SpawnRequest = {
    ...request,
    env: user && environmentOf(user, rawEnvironment()),
    call: forGood ? (call) => spawnOnOwnThread(call, privileges) : undefined,
  };
  if (become !== undefined) return spawnAs(become, complete, privileges);
  const limited = change.ambient !== undefined || (own.capabilities.inheritable & change.lost) !== 0n;
  if (!limited) return spawn(complete);
  return puttingBack(() => {
    setCapabilities({ ...ofCommand(privileges), effective: own.capabilities.effective });
    return spawn(complete);
  });
}

/** The working directory is entered with root's rights, as engines do: the user need not be able to. */
function spawnAs(identity: Identity, { cwd, ...request }: SpawnRequest, privileges: Privileges): number {
  const own = privileges.own.capabilities;
  if (cwd !== undefined) process.chdir(typeof cwd === 'string' ? cwd : `/proc/self/fd/${cwd}`);
  try {
    return asIdentity(identity, () => {
      // Cleared with the user ID; the thread needs this one.
      const effective = own.effective & capabilityMask('SETPCAP');
      setCapabilities({ ...ofCommand(privileges), effective });
      return spawn(request);
    });
  } finally {
    process.chdir('/');
  }
}

/** The sets that execve(2) makes the command's from; the permitted one is not among them (capabilities(7)). */
function ofCommand({ own: { capabilities }, change: { ambient, lost } }: Privileges) {
  return {
    permitted: capabilities.permitted,
    inheritable: ambient ?? capabilities.inheritable & ~lost,
    ambient: ambient ?? capabilities.ambient & ~lost,
  };
}

/** @returns the errno of posix_spawnp(3), 0 for none. */
function spawnOnOwnThread(call: SpawnCall, { change, noNewPrivileges }: Privileges): number {
  const drops = capabilityNumbers(change.droppable).map(
    (number): Call => ['prctl', Prctl.dropFromBoundingSet, number, 0, 0, 0],
  );
  const noNew: Call = ['prctl', Prctl.setNoNewPrivileges, 1, 0, 0, 0];
  const errno = Buffer.alloc(128);
  onOwnThread({
    first: noNewPrivileges ? [...drops, noNew] : drops,
    // What the calls returned is lost; what came of them is not.
    inspect: (directory) => {
      const now = parseCredentials(readFileSync(`${directory}/status`, 'latin1'));
      const { bounding, inheritable, ambient } = now.capabilities;
      const left = (bounding & change.droppable) | ((inheritable | ambient) & change.lost);
      if (left !== 0n || (noNewPrivileges && !now.noNewPrivileges)) throw notDone();
    },
    // %#m is the errno's name (printf(3)).
    rest: [
      ['posix_spawnp', ...call],
      ['snprintf', errno, errno.length, cString('%#m')],
    ],
  });
  const [pid] = call;
  return pid.readInt32LE(0) > 0 ? 0 : errnoNumber(errno.toString('latin1', 0, errno.indexOf(0)));
}

const notDone = (): InitError =>
  new InitError({
    stage: 'run',
    what: 'the kernel did not take the privileges from the main command',
    errno: 'EPERM',
    remedy: 'let the seccomp profile allow prctl(2), or set capabilities=keep and noNewPrivileges=false',
    exitCode: Exit.privilege,
  });

/**
 * Makes a standard stream the user's own, so that /dev/stdout and the terminal can be opened again (runc does the same in
 * fixStdioPermissions). Only what lives as long as the container: never a device or file that something was redirected to.
 */
function handOver(fd: number, { uid }: Identity): void {
  const stat = fstatSync(fd);
  if (stat.uid === uid || !(stat.isFIFO() || stat.isSocket() || isTerminal(fd))) return;
  try {
    fchownSync(fd, uid, stat.gid);
  } catch (error) {
    // Its group or owner has no number in this user namespace, or it lies on a read-only file system: it stays as it is.
    if (!hasErrno(error, 'EINVAL', 'EPERM', 'EROFS')) throw error;
  }
}

/** init's environment byte for byte, but for what says whose it is. */
export function environmentOf({ home, name }: Identity, own: readonly Buffer[]): Buffer[] {
  const values = new Map([['HOME', home]]);
  for (const variable of ['USER', 'LOGNAME']) {
    if (name !== undefined && own.some((entry) => isOf(entry, variable))) values.set(variable, name);
  }
  const rest = new Set(values.keys());
  const entries = own.map((entry) => {
    for (const [variable, value] of values) {
      if (!isOf(entry, variable)) continue;
      rest.delete(variable);
      return Buffer.from(`${variable}=${value}`);
    }
    return entry;
  });
  return [...entries, ...[...rest].map((variable) => Buffer.from(`${variable}=${values.get(variable)}`))];
}

const isOf = (entry: Buffer, variable: string): boolean =>
  entry.toString('latin1', 0, variable.length + 1) === `${variable}=`;
