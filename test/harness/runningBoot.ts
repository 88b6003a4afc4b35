import assert from 'node:assert/strict';
import { type Booted, type NamespaceBoot, startBoot } from './namespaceBoot.ts';
import type { Machine } from './namespaceMachine.ts';
import { type Outcome, run } from './run.ts';

/** A main command that says when it runs, and then does nothing. */
export const idle = ['sh', '-c', 'echo ready; exec sleep infinity'];

/** A boot that goes on, and what `docker exec` would do in it. */
export interface RunningBoot extends AsyncDisposable {
  booted: Booted;
  /** The command line that runs a command in it, with nothing of init's environment. */
  enter(command: readonly string[]): string[];
  exec(command: readonly string[]): Promise<Outcome>;
  /** Runs a shell script, whatever comes of it. */
  attempt(script: string): Promise<Outcome>;
  /** Runs a shell script that must succeed; its output, trimmed. */
  shell(script: string): Promise<string>;
}

/** Boots, and waits until the command runs. */
export async function startRunningBoot(machine: Machine, boot: NamespaceBoot): Promise<RunningBoot> {
  const booted = await startBoot(machine, boot);
  const within = ['--mount', '--pid', '--root', '--wd', 'env', '-i', 'PATH=/usr/bin:/bin', 'HOME=/root'];
  const enter = (command: readonly string[]): string[] => [`--target=${booted.init}`, ...within, ...command];
  const exec = (command: readonly string[]): Promise<Outcome> => run('nsenter', enter(command));
  const attempt = (script: string): Promise<Outcome> => exec(['sh', '-euc', script]);
  try {
    await booted.waitFor(/^ready$/m);
  } catch (error) {
    await booted[Symbol.asyncDispose]();
    throw error;
  }
  return {
    booted,
    enter,
    exec,
    attempt,
    shell: async (script) => {
      const { exitCode, stdout, stderr } = await attempt(script);
      assert.equal(exitCode, 0, stderr);
      return stdout.trim();
    },
    [Symbol.asyncDispose]: () => booted[Symbol.asyncDispose](),
  };
}
