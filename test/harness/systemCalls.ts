import { setTimeout as sleep } from 'node:timers/promises';
import { installCommands } from './packages.ts';
import { run } from './run.ts';

/** V8 cleans up after the boot; what comes later comes for ever. */
export const SETTLE_MS = 3000;

/** Eight seconds after a collection of garbage V8 looks once whether another is worth it (its MemoryReducer). */
const LOOKS_AGAIN_MS = 8000;

/** The calls of a process that has nothing to do, when it has settled; waits longer where V8 has not. */
export async function idleCalls(pid: number, seconds = 3): Promise<string[]> {
  await sleep(SETTLE_MS);
  const calls = await systemCalls(pid, seconds);
  if (calls.length === 0) return calls;
  await sleep(LOOKS_AGAIN_MS);
  return await systemCalls(pid, seconds);
}

/** The system calls of all threads of a process in so many seconds; those it was and stayed in are none. */
export async function systemCalls(pid: number, seconds = 3): Promise<string[]> {
  await installCommands({ strace: 'strace' });
  const strace = ['strace', '-f', '-qq', '-e', 'signal=none', '-p', String(pid)];
  const { stderr } = await run('timeout', ['--signal=INT', `${seconds}`, ...strace]);
  return stderr
    .split('\n')
    .filter((line) => line !== '' && !/<unfinished \.\.\.>$|<detached \.\.\.>$|^strace: Process/.test(line));
}
