import { join } from 'node:path';
import { fixtures } from './paths.ts';
import { runOk } from './run.ts';
import { openScript, quote } from './script.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** What each line becomes when somebody presses the tab key at its end: longer only where one word can be meant. */
export type Completer = (file: string, lines: readonly string[]) => Promise<string[]>;

const programs = join(fixtures, 'completion');
const CONTROL_X = '\x18';

export const completers: Readonly<Record<Shell, Completer>> = {
  bash: (file, lines) => byCandidates('bash', ['--norc', join(programs, 'complete.bash'), file], lines),
  fish: (file, lines) => byCandidates('fish', ['--no-config', join(programs, 'complete.fish'), file], lines),
  zsh: byTyping,
};

async function byCandidates(shell: Shell, args: string[], lines: readonly string[]): Promise<string[]> {
  const output = await runOk(shell, args, { input: `${lines.join('\n')}\n` });
  const candidates = output.split('\n');
  return lines.map((line, index) => withLastWord(line, candidates[index]?.split(' ') ?? []));
}

function withLastWord(line: string, candidates: readonly string[]): string {
  const [only = ''] = candidates;
  if (candidates.length !== 1 || only === '') return line;
  const before = only.startsWith('--') ? /^.* / : /^.*[ =]/;
  return `${before.exec(line)?.[0] ?? ''}${only}`;
}

async function byTyping(file: string, lines: readonly string[]): Promise<string[]> {
  const zsh = openScript('env TERM=dumb zsh -f -i');
  try {
    // In two parts, so that the echo of what was typed is no answer.
    zsh.send(`source ${quote(join(programs, 'complete.zsh'))} ${quote(file)}\r`);
    await zsh.waitFor(/^ready\r?$/m);
    const completed: string[] = [];
    for (const line of lines) {
      zsh.send(`${line}\t${CONTROL_X}`);
      const [, became = ''] = /<(.*)>/.exec(await zsh.waitFor(/<.*>/)) ?? [];
      completed.push(became.replace(/[ =/]+$/, ''));
    }
    return completed;
  } finally {
    zsh.child.kill('SIGKILL');
    await zsh.ended;
  }
}
