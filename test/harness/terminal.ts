import { setTimeout as sleep } from 'node:timers/promises';
import { type Boot, runArguments } from './container.ts';
import { docker, uniqueName } from './docker.ts';
import { runOk } from './run.ts';
import { openScript, quote, type Script } from './script.ts';

export interface Terminal extends Omit<Script, 'child'>, AsyncDisposable {
  container: string;
  resize(rows: number, columns: number): Promise<void>;
}

/** `docker run -it` in a real terminal. */
export async function openTerminal(options: Boot): Promise<Terminal> {
  const container = uniqueName('tty');
  const docked = ['docker', 'run', '-it', '--rm', '--name', container, ...(await runArguments(options))];
  const { child, ...script } = openScript(`tty; stty rows 24 cols 80; exec ${docked.map(quote).join(' ')}`);
  const close = async (): Promise<void> => {
    await docker('rm', '-f', '-v', container);
    child.stdin?.end();
    await Promise.race([script.ended, sleep(5_000, undefined, { ref: false })]);
    if (child.exitCode === null) child.kill('SIGKILL');
  };
  try {
    const device = (await script.waitFor(/\/dev\/\S+/)).trim();
    return {
      ...script,
      container,
      async resize(rows, columns) {
        await runOk('stty', ['-F', device, 'rows', `${rows}`, 'cols', `${columns}`]);
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
