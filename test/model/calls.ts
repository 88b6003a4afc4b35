import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The n-th call of a kind, where strace kills who makes it. */
export interface KillPoint {
  call: string;
  n: number;
}

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

/** strace's words that kill whoever first makes so many calls of a kind. */
export const killing = ({ call, n }: KillPoint): string[] => [
  ...['-f', '--seccomp-bpf', '-qqq', '-o', '/dev/null'],
  ...['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${n}`],
];

/** Counts the calls of what is run with these words of strace's; as strace does, each process and thread for itself. */
export async function countCalls(act: (words: string[]) => Promise<unknown>): Promise<Calls> {
  const work = mkdtempSync(join(tmpdir(), 'nix-cache-init-calls-'));
  try {
    const trace = join(work, 'trace');
    await act([
      '-f',
      '--seccomp-bpf',
      '-qqq',
      '-o',
      trace,
      '-e',
      `trace=${changing.join()}`,
      '-e',
      'signal=none',
    ]);
    return mostOfEach(readFileSync(trace, 'latin1'));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function mostOfEach(trace: string): Calls {
  const counts = new Map<string, number>();
  const most = new Map<string, number>();
  for (const [, pid = '', call = ''] of trace.matchAll(/^(\d+) +(\w+)\(/gm)) {
    const count = (counts.get(`${pid} ${call}`) ?? 0) + 1;
    counts.set(`${pid} ${call}`, count);
    most.set(call, Math.max(most.get(call) ?? 0, count));
  }
  return most;
}
