import { Exit, InitError } from '../../errors.ts';
import { type NixContext, requireNix, runNix } from '../check/nix.ts';
import type { RowSays } from '../check/records.ts';

/** What a command line has room for, whatever the names (execve(2), ARG_MAX). */
const BATCH_PATHS = 1000;

/**
 * Asks Nix what belongs to paths, and what their contents should be. Nix, and not a database: what is valid may be known to a
 * daemon, or to more than one database.
 * @throws {InitError} 64 naming the paths that are not valid; 78 where there is no Nix.
 */
export async function closureOf(
  paths: readonly string[],
  context: NixContext,
): Promise<Map<string, RowSays>> {
  const program = requireNix('nix-store', context);
  const listed = await runNix(program, ['--query', '--requisites', ...paths], context);
  if (typeof listed !== 'string') throw notValid(await withoutClosure(program, paths, context), listed);
  const closure = [...new Set(linesOf(listed))];
  const rows = new Map<string, RowSays>();
  for (let from = 0; from < closure.length; from += BATCH_PATHS) {
    const batch = closure.slice(from, from + BATCH_PATHS);
    const hashes = await ask(program, '--hash', batch, context);
    const sizes = await ask(program, '--size', batch, context);
    for (const [index, path] of batch.entries())
      rows.set(path, { hash: hashes[index] ?? '', narSize: Number(sizes[index] ?? 0) });
  }
  return rows;
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** A line for each of the paths. */
async function ask(
  program: string,
  what: '--hash' | '--size',
  paths: readonly string[],
  context: NixContext,
): Promise<string[]> {
  const output = await runNix(program, ['--query', what, ...paths], context);
  if (typeof output !== 'string') throw notValid(paths, output);
  return linesOf(output);
}

/** Those that Nix has no answer for: of several it names the first only. */
async function withoutClosure(
  program: string,
  paths: readonly string[],
  context: NixContext,
): Promise<string[]> {
  const bad: string[] = [];
  for (const path of paths)
    if (typeof (await runNix(program, ['--query', '--requisites', path], context)) !== 'string')
      bad.push(path);
  return bad;
}

const notValid = (paths: readonly string[], cause: Error): InitError =>
  new InitError({
    stage: 'export',
    what: `Nix has no closure of ${paths.join(', ')}: ${cause.message}`,
    errno: 'ENOENT',
    remedy: `if it can be had: nix-store --realise ${paths.join(' ')}`,
    exitCode: Exit.usage,
    cause,
  });
