import { type Machine, type MachineOptions, makeMachine } from './namespaceMachine.ts';

/** A machine in which alice (1000) has the group alice (1001) and, with bob (1002), the group extra (27). */
export async function makeMachineWithUsers(options: MachineOptions = { volume: 'none' }): Promise<Machine> {
  const machine = await makeMachine(options);
  await machine.shell(`
    echo alice:x:1000:1001::/home/alice:/bin/sh >>etc/passwd
    echo bob:x:1002:1002::/home/bob:/bin/sh >>etc/passwd
    printf 'alice:x:1001:\\nextra:x:27:bob,alice\\n' >>etc/group`);
  return machine;
}

/**
 * As in a container with more than the defaults that is not fully privileged, wherever the test runs.
 * @param options more for setpriv(1).
 */
export const notPrivileged = (...options: string[]): string =>
  `exec setpriv --bounding-set=-sys_boot ${options.join(' ')} "$@"`;

/** As root whose bounding set lacks these, and with it the permitted and effective ones. */
export const without = (...names: string[]): string => {
  const list = ['sys_boot', ...names].map((name) => `-${name}`).join(',');
  return `exec setpriv --inh-caps=${list} --bounding-set=${list} "$@"`;
};

/** A main command that shows who it is to the kernel. */
export const showStatus = ['cat', '/proc/self/status'];

/** A field of a /proc/PID/status, its blanks made one. */
export function statusField(status: string, field: string): string {
  const [, value] = new RegExp(`^${field}:(.*)$`, 'm').exec(status) ?? [];
  if (value === undefined) throw new Error(`no ${field} in:\n${status}`);
  return value.trim().replaceAll(/\s+/g, ' ');
}

/** A set of capabilities out of a status. */
export const capabilitySet = (status: string, set: 'Inh' | 'Prm' | 'Eff' | 'Bnd' | 'Amb'): bigint =>
  BigInt(`0x${statusField(status, `Cap${set}`)}`);

export const capability = { chown: 1n << 0n, netBindService: 1n << 10n, sysAdmin: 1n << 21n };
