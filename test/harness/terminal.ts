import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Boot, runArguments, waitForText } from './container.ts';
import { docker, uniqueName } from './docker.ts';
import { runOk } from './run.ts';

export interface Terminal extends AsyncDisposable {
  container: string;
  send(keys: string): void;
  /** Waits for a pattern in what came after the last match, as a person reads. */
  waitFor(pattern: RegExp): Promise<string>;
  /** What came since the last match. */
  rest(): string;
  resize(rows: number, columns: number): Promise<void>;
  waitForEnd(): Promise<number>;
}

export const controlC = '\x03';
export const controlZ = '\x1a';

/** `docker run -it` in a real terminal, made by `script`. */
export async function openTerminal(options: Boot): Promise<Terminal> {
  const container = uniqueName('tty');
  const docked = ['docker', 'run', '-it', '--rm', '--name', container, ...(await runArguments(options))];
  const command = `tty; stty rows 24 cols 80; exec ${docked.map(quote).join(' ')}`;
  const script = spawn('script', ['-q', '-f', '-e', '-c', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SHELL: '/bin/sh' },
  });
  let output = '';
  let seen = 0;
  script.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  script.stdin.on('error', () => {});
  const ended = once(script, 'close');
  const goesOn = async (): Promise<boolean> => script.exitCode === null;
  const waitFor = async (pattern: RegExp): Promise<string> => {
    const text = await waitForText(async () => output.slice(seen), pattern, goesOn);
    const match = pattern.exec(text);
    seen += (match?.index ?? 0) + (match?.[0].length ?? 0);
    return match?.[0] ?? '';
  };
  const close = async (): Promise<void> => {
    await docker('rm', '-f', '-v', container);
    script.stdin.end();
    await Promise.race([ended, sleep(5_000, undefined, { ref: false })]);
    if (script.exitCode === null) script.kill('SIGKILL');
  };
  try {
    const device = (await waitFor(/\/dev\/\S+/)).trim();
    return {
      container,
      send: (keys) => script.stdin.write(keys),
      waitFor,
      rest: () => output.slice(seen),
      async resize(rows, columns) {
        await runOk('stty', ['-F', device, 'rows', `${rows}`, 'cols', `${columns}`]);
      },
      async waitForEnd() {
        await ended;
        return script.exitCode ?? -1;
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
