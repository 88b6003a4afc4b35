import { chmodSync, chownSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { removeFile } from '../linux/remove.ts';

const MARK = '# by nix-cache-init';

/** Nix forgives a file that is not there: the image may be started without us one day. */
const line = (file: string): string => `!include ${file} ${MARK}`;

/**
 * A nix.conf that includes files of ours before and after what it says itself, and nothing that an earlier boot had it include.
 * Of a setting named twice the later counts; an `extra-` setting adds to what stands before it.
 */
export function withIncludes(text: string, { before, after }: { before?: string; after?: string }): string {
  const own = text
    .split('\n')
    .filter((one) => !one.endsWith(MARK))
    .join('\n');
  const body = own === '' || own.endsWith('\n') ? own : `${own}\n`;
  return [
    before === undefined ? '' : `${line(before)}\n`,
    body,
    after === undefined ? '' : `${line(after)}\n`,
  ].join('');
}

/**
 * Puts a nix.conf in its place in one step, with owner and mode as it was: it may hold access tokens. A link, which may lead
 * into the store, becomes a file.
 */
export function placeConf(path: string, text: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  const temporary = `${path}.nix-cache-init`;
  removeFile(temporary);
  writeFileSync(temporary, text, { mode: 0o600 });
  if (stat !== undefined) chownSync(temporary, stat.uid, stat.gid);
  // From the store it is read-only, which root does not mind, but a user who owns it would.
  chmodSync(temporary, stat === undefined ? 0o644 : stat.mode | 0o200);
  renameSync(temporary, path);
}
