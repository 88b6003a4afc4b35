import { type ReadySpec, readyTimeoutMs } from '../../config/services.ts';
import { notifyReadiness } from './notify.ts';
import { pipeReadiness } from './pipe.ts';
import { socketReadiness } from './socket.ts';

/** How a service tells that it can be used. */
export type Readiness = {
  /** How long others wait for it, in milliseconds. */
  timeoutMs: number;
  /** For the environment of every start. */
  env?: Readonly<Record<string, string>>;
  /** A descriptor for every start: its number there, and what it is here, for the caller to close. */
  descriptor?: { number: number; open(): number };
  /** Begins to look; resolves when the service has said so, and never if it does not. */
  wait(): Promise<void>;
  /** Stops looking: from here on nothing of it wakes init. Starts go on getting what they were promised. */
  close(): void;
  /** At the very end, when the service is gone: whatever is open keeps a mount busy. */
  release?(): void;
};

/**
 * @param notifyPath where a service would find its NOTIFY_SOCKET.
 * @param owner the user ID that it runs as, where that is not init's.
 * @throws {SystemError} when that cannot be bound.
 */
export function openReadiness(spec: ReadySpec, notifyPath: string, owner?: number): Readiness {
  const timeoutMs = readyTimeoutMs(spec);
  if (spec.socket !== undefined) return socketReadiness(spec.socket, timeoutMs);
  if (spec.fd !== undefined) return pipeReadiness(spec.fd, timeoutMs);
  return notifyReadiness(notifyPath, timeoutMs, owner);
}
