import { existsSync } from 'node:fs';

/**
 * The same command, with LISTEN_PID in its environment: passed sockets are taken only by the process that it names
 * (sd_listen_fds(3)), which only a program in its place can know.
 */
export function withListenPid<T extends string | Buffer>(argv: readonly T[]): readonly (T | string)[] {
  // Images of Nix's dockerTools have their shell on PATH only.
  return [existsSync('/bin/sh') ? '/bin/sh' : 'sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...argv];
}
