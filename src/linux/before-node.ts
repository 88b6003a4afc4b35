import { getUint64 } from 'node:ffi';
import { bitsOf } from './bits.ts';
import { symbolAddress } from './libc.ts';
import type { Limit } from './limits.ts';
import { signalsOf } from './signals.ts';

export type BeforeNode = {
  /** Signals that were blocked and ignored when init was executed. */
  blocked: readonly number[];
  ignored: readonly number[];
  /** RLIMIT_NOFILE: descriptors, as getrlimit(2) has them. */
  openFiles: Limit | undefined;
  /** Descriptors from 3 to 63 that were open. */
  inherited: readonly number[];
};

/**
 * How init was given what Node changes before our first line: src/native/before-node.c noted it down. Node without that
 * library, as in the tests, cannot tell any more.
 */
export const beforeNode: BeforeNode = readNote();

function readNote(): BeforeNode {
  const noted = symbolAddress('nix_cache_init_before_node');
  if (noted === undefined) return { blocked: [], ignored: [], openFiles: undefined, inherited: [] };
  return {
    blocked: signalsOf(getUint64(noted, 0)),
    ignored: signalsOf(getUint64(noted, 8)),
    openFiles: { soft: getUint64(noted, 16), hard: getUint64(noted, 24) },
    inherited: bitsOf(getUint64(noted, 32)),
  };
}
