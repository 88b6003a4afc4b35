import { fchownSync, fstatSync } from 'node:fs';
import { Exit, hasErrno, InitError } from '../errors.ts';
import { capabilityMask, setCapabilities } from '../linux/capabilities.ts';
import { asIdentity, type Identity, puttingBack } from '../linux/credentials.ts';
import { rawEnvironment, SystemError } from '../linux/libc.ts';
import { spawnLimited } from '../linux/limited-spawn.ts';
import { type SpawnCall, type SpawnRequest, spawn } from '../linux/spawn.ts';
import { isTerminal } from '../linux/terminal.ts';
import { personalVariables } from './identity.ts';
import type { Privileges } from './privileges.ts';

/**
 * Starts the main command with its privileges, not init's. What can be taken back the main thread does for the time of the
 * call; what cannot, a thread that does nothing else. So init can unmount, and the daemon has all it needs, at any time later.
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
    call: forGood ? (call) => spawnForGood(call, privileges) : undefined,
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
function spawnForGood(call: SpawnCall, { change, noNewPrivileges }: Privileges): number {
  try {
    return spawnLimited({ drop: change.droppable, noNewPrivileges }, call);
  } catch (error) {
    if (!(error instanceof SystemError) || error.syscall !== 'prctl') throw error;
    throw new InitError({
      stage: 'run',
      what: 'the kernel did not take the privileges from the main command',
      errno: error.code,
      remedy: 'let the seccomp profile allow prctl(2), or set capabilities=keep and noNewPrivileges=false',
      exitCode: Exit.privilege,
      cause: error,
    });
  }
}

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
export function environmentOf(identity: Identity, own: readonly Buffer[]): Buffer[] {
  const values = new Map(
    Object.entries(personalVariables(identity, (variable) => own.some((entry) => isOf(entry, variable)))),
  );
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
