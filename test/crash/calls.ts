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

/** One system call of init, so that the same one can be struck again. */
export type Call = {
  name: string;
  /** What it is about, as strace's -P takes it: counted among all calls, its number would be another at every boot. */
  path: string | undefined;
  /** As which of its thread's calls of that name and path it is made. */
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
  const made: { thread: string; name: string; text: string }[] = [];
  const calls: Call[] = [];
  let counting = after === undefined;
  for (const { thread, text } of linesOf(log, init)) {
    if (after?.test(text)) counting = true;
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name === undefined || !changingCalls.includes(name)) continue;
    made.push({ thread, name, text });
    if (!counting || !isChange(name, text)) continue;
    const path = pathOf(name, text);
    const alike = made.filter((one) => one.thread === thread && one.name === name && isAbout(one.text, path));
    calls.push({ name, path, n: alike.length, text, failed: / = -1 E/.test(text) });
  }
  return calls;
}

/** Calls whose second argument is the path that they change. */
const secondIsPath = ['mount', 'symlink'];

/** A descriptor's path, or what is named. */
function pathOf(name: string, text: string): string | undefined {
  const descriptor = /^\w+\(\d+<(\/[^>]*)>/.exec(text)?.[1];
  const named = [...text.matchAll(/"([^"]*)"/g)].map(([, path]) => path);
  return descriptor ?? (name === 'bind' ? undefined : named[secondIsPath.includes(name) ? 1 : 0]);
}

const isAbout = (text: string, path: string | undefined): boolean =>
  path === undefined || whatOf(text).includes(`"${path}"`) || whatOf(text).includes(`<${path}>`);

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

/**
 * Without addresses, the numbers of sockets and descriptors, which another thread may take before, what came of it, and how
 * much was written: times are among that.
 */
const whatOf = (line: string): string =>
  line
    .replace(/\)? *(= |<unfinished).*$/, '')
    .replaceAll(/0x[0-9a-f]+|socket:\[\d+\]|\b\d+(?=<)/g, '')
    .replace(/^(write\(<[^>]*>).*$/, '$1');
