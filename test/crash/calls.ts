/** The system calls by which init can change something that outlives it, and those that wait for the disk. */
const byDescriptor = [
  ...[
    'write',
    'writev',
    'pwrite64',
    'pwritev',
    'sendfile',
    'ftruncate',
    'fallocate',
    'fsync',
    'fdatasync',
    'syncfs',
  ],
  ...['fchmod', 'fchown', 'fsetxattr', 'fremovexattr', 'flock', 'ioctl'],
];
const byPath = [
  ...[
    'mkdir',
    'mkdirat',
    'rmdir',
    'rename',
    'renameat',
    'renameat2',
    'link',
    'linkat',
    'symlink',
    'symlinkat',
  ],
  ...[
    'unlink',
    'unlinkat',
    'mknod',
    'mknodat',
    'chmod',
    'fchmodat',
    'chown',
    'lchown',
    'fchownat',
    'truncate',
  ],
  ...['setxattr', 'lsetxattr', 'removexattr', 'lremovexattr', 'utimensat', 'copy_file_range', 'bind'],
  ...['mount', 'umount2', 'pivot_root'],
];

export const changingCalls = ['openat', ...byDescriptor, ...byPath];

/** One system call of init, so that the same one can be hit again: strace counts a kind of call from its start on. */
export type Call = {
  name: string;
  n: number;
  /** As strace shows it. */
  text: string;
  failed: boolean;
};

/** A line of strace's log: which thread, and what. */
type Line = { thread: string; text: string };

/** What init's own threads do in a log that has every execve(2): a thread that executes a program is a child on its way. */
export function linesOf(log: string, init: number): Line[] {
  const lines = [...log.matchAll(/^(\d+) +(.*)$/gm)].map(([, thread = '', text = '']) => ({ thread, text }));
  const children = new Set(lines.flatMap(({ thread, text }) => (text.startsWith('execve(') ? [thread] : [])));
  children.delete(`${init}`);
  return lines.filter(({ thread }) => !children.has(thread));
}

/** Those of init's own calls that change something; with `after`, only those after such a line. */
export function changesIn(log: string, init: number, after?: RegExp): Call[] {
  const counts = new Map<string, number>();
  const calls: Call[] = [];
  let counting = after === undefined;
  for (const { thread, text } of linesOf(log, init)) {
    if (after?.test(text)) counting = true;
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name === undefined || !changingCalls.includes(name)) continue;
    const n = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, n);
    if (counting && isChange(name, text)) calls.push({ name, n, text, failed: / = -1 E/.test(text) });
  }
  return calls;
}

function isChange(name: string, text: string): boolean {
  if (name === 'openat') return /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(text) && !/"\/(dev|proc)\//.test(text);
  // Of the others, pipes and event descriptors are Node's own business.
  return (
    !byDescriptor.includes(name) ||
    (/^\w+\(\d+<\/(?!dev\/|proc\/)/.test(text) && !/TCGETS|FIONBIO/.test(text))
  );
}

/** Whether two lines of strace show the same call, whatever came of it. */
export function sameCall(a: string, b: string): boolean {
  const what = (line: string): string =>
    line.replace(/\)? *(= |<unfinished).*$/, '').replaceAll(/0x[0-9a-f]+/g, '');
  return what(a) === what(b);
}
