import { constants } from 'node:os';

/** Thrown by `signal.throwIfAborted()` in what was interrupted. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(name);
    this.exitCode = 128 + constants.signals[name];
  }
}

/**
 * Does something that a signal ends. As PID 1 of a container of its own, a command without a handler could not be interrupted:
 * the kernel ignores what PID 1 does not handle (signal(7) of pid_namespaces(7)).
 * @returns the exit code of it, or 128+n.
 */
export async function interruptible(act: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.once(name, () => controller.abort(new Interrupted(name)));
  try {
    return await act(controller.signal);
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    throw error;
  } finally {
    for (const name of names) process.removeAllListeners(name);
  }
}
