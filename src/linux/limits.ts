import { checked, lazily } from './libc.ts';

const setrlimit = lazily('setrlimit', { return: 'int32', arguments: ['int32', 'buffer'] });

const RLIMIT_NOFILE = 7;

export type Limit = { soft: bigint; hard: bigint };

function limitOpenFiles(soft: bigint, hard: bigint): void {
  const limit = Buffer.alloc(16);
  limit.writeBigUInt64LE(soft, 0);
  limit.writeBigUInt64LE(hard, 8);
  checked('setrlimit', () => setrlimit()(RLIMIT_NOFILE, limit));
}

/**
 * Runs `act` under this limit of open files, for a child to inherit (getrlimit(2)): Node raises the soft one to the hard
 * one, and programs that use select(2) or close every possible descriptor suffer.
 */
export function withOpenFiles<T>(limit: Limit | undefined, act: () => T): T {
  if (limit === undefined || limit.soft === limit.hard) return act();
  limitOpenFiles(limit.soft, limit.hard);
  try {
    return act();
  } finally {
    limitOpenFiles(limit.hard, limit.hard);
  }
}
