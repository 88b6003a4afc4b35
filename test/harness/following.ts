import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Outcome } from './run.ts';
import { waitForText } from './waitForText.ts';

/** A program that runs, and what it has said so far. */
export interface Following {
  child: ChildProcess;
  output(): string;
  errors(): string;
  /** Waits until the output so far matches. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** The same of what it said on stderr. */
  waitForError(pattern: RegExp): Promise<RegExpExecArray>;
  ended: Promise<Outcome>;
}

/** Starts a program; `input` is what it can read, nothing if undefined. */
export function follow(file: string, args: readonly string[], input?: string): Following {
  const child = spawn(file, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const waitIn = async (name: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> => {
    try {
      return await waitForText(
        () => texts[name],
        pattern,
        () => isAlive(child),
      );
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${texts.stdout}\n${texts.stderr}`);
    }
  };
  // It need not read what it is given.
  child.stdin?.on('error', () => {}).end(input);
  return {
    child,
    output: () => texts.stdout,
    errors: () => texts.stderr,
    waitFor: (pattern) => waitIn('stdout', pattern),
    waitForError: (pattern) => waitIn('stderr', pattern),
    ended: outcomeOf(child, texts),
  };
}

export const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

async function outcomeOf(child: ChildProcess, texts: { stdout: string; stderr: string }): Promise<Outcome> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  // unshare(1) ends by the signal that ended its child; nothing else than KILL ends a PID 1.
  return { exitCode: code ?? (signal === 'SIGKILL' ? 137 : -1), ...texts };
}
