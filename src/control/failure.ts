import { writeFileSync } from 'node:fs';
import type { InitError } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { startTimeOf } from '../linux/process.ts';
import { readIfThere } from '../linux/read.ts';
import { removeFile } from '../linux/remove.ts';
import { runDir, runLayout } from '../store/run-layout.ts';

/** Why a boot came to nothing, for who waits for it. */
export type BootFailure = { message: string; exitCode: number };

/** With the start of PID 1: in a container that was started again, the file of its last run is still there. */
type Written = BootFailure & { life: string };

/** Where it cannot be written, it was said on stderr all the same. */
export function recordFailure({ message, exitCode }: InitError): void {
  try {
    makeDirectories(runDir);
    const written: Written = { message, exitCode, life: startTimeOf(1) };
    writeFileSync(runLayout.failure, JSON.stringify(written));
  } catch {
    // A container without a writable /run, or without /proc: then nobody can wait in it either.
  }
}

/** To be called when a boot begins. */
export function forgetFailure(): void {
  try {
    removeFile(runLayout.failure);
  } catch {
    // Read-only, or another user's: it is of another life then.
  }
}

/** @returns undefined when no boot has failed here since PID 1 started. */
export function readFailure(): BootFailure | undefined {
  const text = readIfThere(runLayout.failure);
  if (text === undefined) return undefined;
  try {
    const { message, exitCode, life } = JSON.parse(text) as Written;
    return life === startTimeOf(1) ? { message, exitCode } : undefined;
  } catch {
    // Half written: it is not over yet.
    return undefined;
  }
}
