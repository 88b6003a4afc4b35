import type { LoadedConfig } from '../config/load.ts';
import { configurationVariables } from '../config/pass-on.ts';
import { type HelperRequest, runHelper } from '../linux/helper.ts';

export type OwnCommand = Pick<HelperRequest, 'signal' | 'exitOf' | 'onLine'> & {
  /** The configuration of init, which the command gets. */
  loaded: LoadedConfig;
};

/**
 * Runs a command of this program in a process of its own; init itself has other things to do.
 * @param args the command and its options.
 * @returns how it ended, and what was on its standard output; `onLine` is told the rest.
 */
export async function runOwnCommand(
  args: readonly string[],
  { loaded, ...options }: OwnCommand,
): Promise<{ exitCode: number; output: string }> {
  const output: string[] = [];
  const exitCode = await runHelper({
    ...options,
    file: process.execPath,
    argv: ['nix-cache-init', ...args],
    env: configurationVariables(loaded),
    onOutput: (line) => output.push(line),
  });
  return { exitCode, output: output.join('\n') };
}

/** @returns what a command answered with `--json`; undefined when it did not come to that, which its line on stderr has told. */
export function answerIn(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
