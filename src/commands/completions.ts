import type { CommandLine } from '../config/flags.ts';
import { usageError } from '../errors.ts';
import { printOut } from '../log.ts';
import { bashCompletion } from './completions/bash.ts';
import { fishCompletion } from './completions/fish.ts';
import { zshCompletion } from './completions/zsh.ts';

/** The completions of each shell, made of what `--help` is made of. */
export const completions: Readonly<Record<string, () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** Prints the completions for a shell. */
export async function runCompletions({ rest }: CommandLine): Promise<number> {
  const [shell, extra] = rest;
  const make = shell !== undefined && Object.hasOwn(completions, shell) ? completions[shell] : undefined;
  const known = Object.keys(completions).join(', ');
  if (make === undefined)
    throw usageError(
      shell === undefined ? 'completions needs a shell' : `no completions for ${shell}`,
      `say one of ${known}`,
    );
  if (extra !== undefined) throw usageError(`unexpected argument ${extra}`, `say one of ${known}`);
  printOut(make());
  return 0;
}
