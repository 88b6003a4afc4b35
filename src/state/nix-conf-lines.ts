import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../linux/directories.ts';
import { readIfThere } from '../linux/read.ts';
import { removeFile } from '../linux/remove.ts';
import { replaceFile } from '../linux/replace.ts';

/**
 * Lines of ours in a nix.conf, around those that are there. Of a setting named twice the later counts, so the user's own beat
 * those before; an `extra-` setting adds to what stands before it.
 */
export type OwnLines = { before?: readonly string[]; after?: readonly string[] };

/** Ends each line, a comment to Nix: whatever is done to the rest of the file, what is ours can be told and taken out. */
const MARK = '# by nix-cache-init';
const made = `# There was no such file. ${MARK}`;

/** A nix.conf (undefined: there is none) with these lines of ours, and none of an earlier boot. */
export function withLines(text: string | undefined, { before = [], after = [] }: OwnLines): string {
  const own = withoutLines(text ?? '');
  const body = own === '' || own.endsWith('\n') || after.length === 0 ? own : `${own}\n`;
  const first = text === undefined || isAllOurs(text) ? [made] : [];
  return (
    [...first, ...before.map(marked)].map(endLine).join('') + body + after.map(marked).map(endLine).join('')
  );
}

const marked = (line: string): string => `${line} ${MARK}`;
const endLine = (line: string): string => `${line}\n`;

/** The same as its owner has it. */
export const withoutLines = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !isOurs(line))
    .join('\n');

export const hasLines = (text: string): boolean => text.split('\n').some(isOurs);

// An editor may have changed the ends of lines.
const isOurs = (line: string): boolean => line.trimEnd().endsWith(MARK);

/** Whether nobody would miss the file: it was made by us, and nothing was added. */
const isAllOurs = (text: string): boolean => withoutLines(text) === '' && text.includes(made);

/**
 * Puts lines of ours into a file, in the place of those of an earlier boot, in one step. Again changes nothing.
 * @returns what takes them out again.
 */
export function putLines(path: string, lines: OwnLines): () => void {
  const takeOut = (): void => takeLinesOut(path);
  if ((lines.before ?? []).length + (lines.after ?? []).length === 0) takeOut();
  else {
    makeDirectories(dirname(path), 0o755);
    const text = readIfThere(path);
    place(path, text, withLines(text, lines));
  }
  return takeOut;
}

/** Leaves a file as its owner had it; one that we made goes. */
export function takeLinesOut(path: string): void {
  const text = readIfThere(path);
  if (text === undefined || !hasLines(text)) return;
  if (isAllOurs(text)) removeFile(path);
  else place(path, text, withoutLines(text));
}

/** With owner and mode as they were: it may hold access tokens. A link becomes a file: what it leads to may be a store path. */
function place(path: string, before: string | undefined, text: string): void {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  if (text === before && !isLink) return;
  const stat = statSync(path, { throwIfNoEntry: false });
  // From the store it is read-only, which root does not mind, but a user who owns it would.
  replaceFile(path, text, stat && { uid: stat.uid, gid: stat.gid, mode: stat.mode | 0o200 });
}
