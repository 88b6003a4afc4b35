import { AT_FDCWD, checked, cString, lazily } from './libc.ts';

const renameat2 = lazily('renameat2', {
  return: 'int32',
  arguments: ['int32', 'buffer', 'int32', 'buffer', 'uint32'],
});

const RENAME_EXCHANGE = 2;
const RENAME_WHITEOUT = 4;

/** Gives each of two paths what the other one has, in one step (rename(2), RENAME_EXCHANGE). */
export function exchange(one: string, other: string): void {
  rename(one, other, RENAME_EXCHANGE);
}

/** Moves a file and leaves a whiteout in its place, in one step (rename(2), RENAME_WHITEOUT). */
export function renameToWhiteout(from: string, to: string): void {
  rename(from, to, RENAME_WHITEOUT);
}

function rename(from: string, to: string, flags: number): void {
  const [a, b] = [cString(from), cString(to)];
  checked('renameat2', () => renameat2()(AT_FDCWD, a, AT_FDCWD, b, flags), to);
}
