import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootCommand, firstChild, type NamespaceBoot } from './namespaceBoot.ts';
import type { Machine } from './namespaceMachine.ts';
import { installCommands } from './packages.ts';

export interface NamespaceTerminal extends AsyncDisposable {
  send(keys: string): void;
  /** Waits for a pattern in what came after the last match, as a person reads. */
  waitFor(pattern: RegExp): Promise<string>;
  /** What came since the last match. */
  rest(): string;
  ended: Promise<number>;
}

export const key = { controlC: '\x03', controlZ: '\x1a', controlBackslash: '\x1c', enter: '\r' };

/** Boots in a real terminal, made by script(1), whose session PID 1 leads as it would under `docker run -t`. */
export async function openNamespaceTerminal(
  machine: Machine,
  boot: NamespaceBoot,
): Promise<NamespaceTerminal> {
  await installCommands({ script: 'bsdutils' });
  const via = `exec setsid --ctty sh -c '${(boot.via ?? 'exec "$@"').replaceAll("'", `'\\''`)}' sh "$@"`;
  const command = bootCommand(machine, { ...boot, via, env: { TERM: 'dumb', ...boot.env } });
  const line = `exec ${command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')}`;
  const script = spawn('script', ['-q', '-f', '-e', '-c', line, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SHELL: '/bin/sh' },
  });
  let output = '';
  let seen = 0;
  script.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  script.stdin.on('error', () => {});
  const ended = once(script, 'close').then(([code]) => Number(code));
  return {
    send: (keys) => script.stdin.write(keys),
    rest: () => output.slice(seen),
    ended,
    async waitFor(pattern) {
      for (const deadline = Date.now() + 60_000; ; await sleep(10)) {
        const goesOn = script.exitCode === null && Date.now() < deadline;
        const match = pattern.exec(output.slice(seen));
        if (match !== null) {
          seen += match.index + match[0].length;
          return match[0];
        }
        if (!goesOn) throw new Error(`never saw ${pattern} in:\n${output.slice(seen)}`);
      }
    },
    async [Symbol.asyncDispose]() {
      // PID 1 goes with unshare (--kill-child), the PID namespace with that, and then script has nothing left to do.
      const child = script.exitCode === null && script.pid !== undefined && firstChild(script.pid);
      if (child) process.kill(child, 'SIGKILL');
      await ended;
    },
  };
}
