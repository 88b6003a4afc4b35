import { readFileSync } from 'node:fs';
import { bitsOf } from './bits.ts';
import { checked, lazily } from './libc.ts';
import { Prctl, prctl } from './prctl.ts';
import { readIfThere } from './read.ts';

const capset = lazily('capset', { return: 'int32', arguments: ['buffer', 'buffer'] });

/** By number, from <linux/capability.h>. */
export const capabilityNames = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...[
    'LINUX_IMMUTABLE',
    'NET_BIND_SERVICE',
    'NET_BROADCAST',
    'NET_ADMIN',
    'NET_RAW',
    'IPC_LOCK',
    'IPC_OWNER',
  ],
  ...[
    'SYS_MODULE',
    'SYS_RAWIO',
    'SYS_CHROOT',
    'SYS_PTRACE',
    'SYS_PACCT',
    'SYS_ADMIN',
    'SYS_BOOT',
    'SYS_NICE',
  ],
  ...[
    'SYS_RESOURCE',
    'SYS_TIME',
    'SYS_TTY_CONFIG',
    'MKNOD',
    'LEASE',
    'AUDIT_WRITE',
    'AUDIT_CONTROL',
    'SETFCAP',
  ],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
  'CHECKPOINT_RESTORE',
] as const;

type CapabilityName = (typeof capabilityNames)[number];

/** The five sets of a thread, as bit masks (capabilities(7)). */
export type CapabilitySets = {
  inheritable: bigint;
  permitted: bigint;
  effective: bigint;
  bounding: bigint;
  ambient: bigint;
};

export const capabilityMask = (name: CapabilityName): bigint => 1n << BigInt(capabilityNames.indexOf(name));

/** `SYS_ADMIN, NET_RAW`; by number what is younger than our list. */
export const describeCapabilities = (mask: bigint): string =>
  bitsOf(mask)
    .map((number) => capabilityNames[number] ?? `${number}`)
    .join(', ');

/** Reads the sets in a /proc/PID/status (proc_pid_status(5)); a line that is not there is an empty set. */
export function parseCapabilities(status: string): CapabilitySets {
  const set = (field: string): bigint =>
    BigInt(`0x${new RegExp(`^Cap${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  return {
    inheritable: set('Inh'),
    permitted: set('Prm'),
    effective: set('Eff'),
    bounding: set('Bnd'),
    ambient: set('Amb'),
  };
}

/** Whether the effective set of a /proc/PID/status holds CAP_SYS_ADMIN. */
export const hasSysAdmin = (status: string): boolean =>
  (parseCapabilities(status).effective & capabilityMask('SYS_ADMIN')) !== 0n;

/** Every capability that the kernel knows; those that we know where it does not say (gVisor). */
export function readAllCapabilities(): bigint {
  const last = readIfThere('/proc/sys/kernel/cap_last_cap');
  const count = last === undefined ? capabilityNames.length : Number.parseInt(last, 10) + 1;
  return (1n << BigInt(count)) - 1n;
}

/**
 * Sets the main thread's own sets. The bounding set stays: what leaves it cannot come back.
 * @throws {SystemError} EPERM for what may not be raised.
 */
export function setCapabilities({
  effective,
  permitted,
  inheritable,
  ambient,
}: Omit<CapabilitySets, 'bounding'>): void {
  const header = Buffer.alloc(128);
  header.writeUInt32LE(LINUX_CAPABILITY_VERSION_3, 0);
  const data = Buffer.alloc(128);
  for (const [index, set] of [effective, permitted, inheritable].entries()) {
    data.writeUInt32LE(Number(set & LOW), index * 4);
    data.writeUInt32LE(Number(set >> 32n), 12 + index * 4);
  }
  checked('capset', () => capset()(header, data));
  // What left the permitted or inheritable set has left the ambient one by itself.
  for (const number of bitsOf(ambient)) prctl(Prctl.ambientSet, AMBIENT_RAISE, BigInt(number));
}

const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const LOW = 0xffffffffn;
const AMBIENT_RAISE = 2n;

/** Only the initial user namespace maps all IDs onto themselves (user_namespaces(7)). */
export function isInitialUidMap(map: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

export function readInUserNamespace(): boolean {
  return !isInitialUidMap(readFileSync('/proc/self/uid_map', 'utf8'));
}
