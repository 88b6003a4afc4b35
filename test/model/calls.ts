/** How many calls of each kind one process or thread makes: the kill points that it has. */
export type Calls = ReadonlyMap<string, number>;

/** By what init and Nix change something. */
const changing = [
  ...['mkdir', 'rename', 'unlink', 'unlinkat', 'symlink', 'link', 'rmdir', 'fsync', 'fdatasync', 'syncfs'],
  ...[
    'ftruncate',
    'write',
    'pwrite64',
    'copy_file_range',
    'mount',
    'umount2',
    'utimensat',
    'chmod',
    'fchmodat',
  ],
];

/** The same for counting. */
export const watching = ['-e', `trace=${changing.join()}`, '-e', 'signal=none'];

/** Counts the calls in a log of strace's; as strace does, each process and thread for itself. */
export function countCalls(log: string): Calls {
  const counts = new Map<string, number>();
  const most = new Map<string, number>();
  for (const [, pid = '', call = ''] of log.matchAll(/^(\d+) +(\w+)\(/gm)) {
    const count = (counts.get(`${pid} ${call}`) ?? 0) + 1;
    counts.set(`${pid} ${call}`, count);
    most.set(call, Math.max(most.get(call) ?? 0, count));
  }
  return most;
}
