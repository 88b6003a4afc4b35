import { installCommands } from './packages.ts';
import { run } from './run.ts';

/** V8 cleans up after the boot; what comes later comes for ever. */
export const SETTLE_MS = 3000;

/** The system calls of all threads of a process in so many seconds; those it was and stayed in are none. */
export async function systemCalls(pid: number, seconds = 3): Promise<string[]> {
  await installCommands({ strace: 'strace' });
  const strace = ['strace', '-f', '-qq', '-e', 'signal=none', '-p', String(pid)];
  const { stderr } = await run('timeout', ['--signal=INT', `${seconds}`, ...strace]);
  return stderr
    .split('\n')
    .filter((line) => line !== '' && !/<unfinished \.\.\.>$|<detached \.\.\.>$|^strace: Process/.test(line));
}
