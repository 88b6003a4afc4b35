/**
 * The entries of Nix's state directory that belong to one boot only (DESIGN §6): locks, sockets and scratch of
 * processes that are gone. They are not seeded, and are cleared before Nix starts.
 */
export const perBootParts = [
  'temproots',
  'gc-socket',
  'daemon-socket',
  'gc-roots-socket',
  'userpool',
  'userpool2',
  'builds',
  // Of strategy `substituter`.
  'nix-cache-init',
] as const;

/** Within `db/`: locks, and the index of the write-ahead log, which SQLite rebuilds and must not find stale. */
const databaseJunk = new Set(['db/big-lock', 'db/db.sqlite-shm', 'gc.lock']);

/** Whether a path of the image's state directory, relative to it, is to be left out of the seed. */
export function isPerBoot(path: string): boolean {
  return databaseJunk.has(path) || perBootParts.some((part) => path === part || path.startsWith(`${part}/`));
}
