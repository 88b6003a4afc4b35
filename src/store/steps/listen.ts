import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../../linux/directories.ts';
import { removeFile } from '../../linux/remove.ts';
import { listenUnix } from '../../linux/socket.ts';
import type { Step } from '../plan.ts';

/**
 * Binds a service's socket for everyone, as nix-daemon.socket of NixOS/nix does.
 * @returns its descriptor.
 * @throws {SystemError} EADDRINUSE for something at its path that is no socket.
 */
export function listen({ socket }: Step & { do: 'listen' }): number {
  makeDirectories(dirname(socket), 0o755);
  if (lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) removeFile(socket);
  return listenUnix(socket, 0o666);
}
