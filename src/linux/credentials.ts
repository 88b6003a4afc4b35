import { readFileSync } from 'node:fs';
import { type CapabilitySets, parseCapabilities, setCapabilities } from './capabilities.ts';
import { checked, lazily } from './libc.ts';
import { Prctl, prctl } from './prctl.ts';

// The system calls themselves: glibc's functions of these names would change all threads (nptl(7)).
const syscall = lazily('syscall', {
  return: 'int64',
  arguments: ['int32', 'uint64', 'pointer', 'uint64'],
});
const numbers =
  process.arch === 'arm64'
    ? { setgroups: 159, setresuid: 147, setresgid: 149 }
    : { setgroups: 116, setresuid: 117, setresgid: 119 };

type Ids = readonly [real: number, effective: number, saved: number];

/** Who a thread is to the kernel (credentials(7), capabilities(7)). */
export type Credentials = {
  uids: Ids;
  gids: Ids;
  groups: readonly number[];
  capabilities: CapabilitySets;
  noNewPrivileges: boolean;
};

/** Whom a process is to run as. */
export type Identity = {
  uid: number;
  gid: number;
  /** All groups, the primary one included, as initgroups(3) has it. */
  groups: readonly number[];
  name?: string;
  home: string;
};

/** Reads a /proc/PID/status (proc_pid_status(5)). */
export function parseCredentials(status: string): Credentials {
  const words = (field: string): string[] =>
    new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/).filter(Boolean) ?? [];
  const ids = (field: string): Ids => {
    const [real, effective, saved] = words(field).map(Number);
    if (real === undefined || effective === undefined || saved === undefined)
      throw new TypeError(`/proc/self/status has no ${field}`);
    return [real, effective, saved];
  };
  return {
    uids: ids('Uid'),
    gids: ids('Gid'),
    groups: words('Groups').map(Number),
    capabilities: parseCapabilities(status),
    noNewPrivileges: words('NoNewPrivs')[0] === '1',
  };
}

/** The main thread's. */
export const readCredentials = (): Credentials =>
  parseCredentials(readFileSync('/proc/self/status', 'latin1'));

/**
 * Runs `act` with the main thread as that user, root kept as its saved user ID, and then puts everything back. What is
 * spawned meanwhile has no way back: execve(2) copies the effective ID over the saved one. Other threads stay root.
 * @throws {SystemError} EPERM without CAP_SETUID and CAP_SETGID, EINVAL for an ID that the user namespace does not map.
 */
export function asIdentity<T>(identity: Identity, act: () => T): T {
  return puttingBack(() => {
    become(identity);
    return act();
  });
}

function become({ uid, gid, groups }: Identity): void {
  setGroups(groups);
  setIds('setresgid', [gid, gid, gid]);
  setIds('setresuid', [uid, uid, 0]);
}

/** Runs `act`, which may change the main thread's credentials, and then makes them what they were. */
export function puttingBack<T>(act: () => T): T {
  const before = readCredentials();
  // A change of the user ID clears both (prctl(2)): root's own /proc/self would be lost on it, and its parent's death.
  const dumpable = prctl(Prctl.getDumpable);
  const deathSignal = Buffer.alloc(128);
  prctl(Prctl.getDeathSignal, deathSignal);
  try {
    return act();
  } finally {
    setIds('setresuid', before.uids);
    setIds('setresgid', before.gids);
    // Where setgroups(2) is denied nothing has changed.
    if (String(readCredentials().groups) !== String(before.groups)) setGroups(before.groups);
    setCapabilities(before.capabilities);
    prctl(Prctl.setDumpable, BigInt(dumpable));
    prctl(Prctl.setDeathSignal, BigInt(deathSignal.readInt32LE(0)));
  }
}

function setGroups(groups: readonly number[]): void {
  const list = Buffer.alloc(128 + groups.length * 4);
  for (const [index, gid] of groups.entries()) list.writeUInt32LE(gid, index * 4);
  checked('setgroups', () => Number(syscall()(numbers.setgroups, BigInt(groups.length), list, 0n)));
}

function setIds(call: 'setresuid' | 'setresgid', [real, effective, saved]: Ids): void {
  checked(call, () => Number(syscall()(numbers[call], BigInt(real), BigInt(effective), BigInt(saved))));
}
