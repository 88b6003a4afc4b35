import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { listenUnix } from '../../linux/socket.ts';
import type { Step } from '../plan.ts';

/**
 * Binds the daemon's socket for everyone, as nix-daemon.socket of NixOS/nix does.
 * @returns its descriptor.
 */
export function listen({ socket }: Step & { do: 'listen' }): number {
  mkdirSync(dirname(socket), { recursive: true, mode: 0o755 });
  rmSync(socket, { force: true });
  return listenUnix(socket, 0o666);
}
