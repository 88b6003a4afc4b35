import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitForText } from './waitForText.ts';

/** A shell line in a real terminal, and a person in front of it. */
export interface Script {
  child: ChildProcess;
  send(keys: string): void;
  /** Waits for a pattern in what came after the last match, as a person reads. */
  waitFor(pattern: RegExp): Promise<string>;
  /** What came since the last match. */
  rest(): string;
  /** The line's exit code. */
  ended: Promise<number>;
}

export const key = { controlC: '\x03', controlZ: '\x1a', controlBackslash: '\x1c', enter: '\r' };

export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs a shell line under script(1), which makes the terminal. */
export function openScript(line: string): Script {
  const child = spawn('script', ['-q', '-f', '-e', '-c', line, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SHELL: '/bin/sh' },
  });
  let output = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.on('error', () => {});
  return {
    child,
    send: (keys) => child.stdin.write(keys),
    rest: () => output.slice(seen),
    ended: once(child, 'close').then(([code]) => Number(code ?? -1)),
    async waitFor(pattern) {
      const match = await waitForText(
        () => output.slice(seen),
        pattern,
        () => child.exitCode === null,
      );
      seen += match.index + match[0].length;
      return match[0];
    },
  };
}
