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

/** Whether two lines of strace show the same call, whatever came of it: as far as it is the same at every boot. */
export function sameCall(a: string, b: string): boolean {
  return whatOf(a) === whatOf(b);
}

/** Without addresses, numbers of sockets, what came of it, and how much was written: times are among that. */
const whatOf = (line: string): string =>
  line
    .replace(/\)? *(= |<unfinished).*$/, '')
    .replaceAll(/0x[0-9a-f]+|socket:\[\d+\]/g, '')
    .replace(/^(write\(\d+<[^>]*>).*$/, '$1');

/** As which of its kind a run made a call, where that is nearest to `n`; undefined when it made none like it. */
export function countedAs(log: string, init: number, { name, text, n }: Call): number | undefined {
  const found: number[] = [];
  const counts = new Map<string, number>();
  for (const line of linesOf(log, init)) {
    if (!line.text.startsWith(`${name}(`)) continue;
    const count = (counts.get(line.thread) ?? 0) + 1;
    counts.set(line.thread, count);
    if (sameCall(line.text, text)) found.push(count);
  }
  return found.toSorted((a, b) => Math.abs(a - n) - Math.abs(b - n))[0];
}
