import { relative } from 'node:path';
import { Exit, InitError } from '../errors.ts';
import { readIfThere } from '../linux/read.ts';
import { replaceFile } from '../linux/replace.ts';

/** All of it in one file, of a volume that may be mounted elsewhere the next time. */
export type StateClaim = {
  /** Where it is noted. */
  record: string;
  storeDir: string;
  stateDir: string;
  cacheDir: string;
};

/**
 * Notes of which store a state directory of the volume is. Nix would take the database of one store for that of another, and
 * then find paths in it that neither can use.
 * @throws {InitError} 78 where it is another's.
 */
export function claimState({ record, storeDir, stateDir, cacheDir }: StateClaim): void {
  const known = readOwners(record);
  const name = relative(cacheDir, stateDir);
  const owner = known[name];
  if (owner === storeDir) return;
  if (owner === undefined) {
    replaceFile(record, `${JSON.stringify({ ...known, [name]: storeDir }, null, 2)}\n`);
    return;
  }
  throw new InitError({
    stage: 'facts',
    what: `${stateDir} is the state of the store ${owner}, not of ${storeDir}`,
    errno: 'EEXIST',
    remedy: `set storeDir=${owner}, or stateDir=${cacheDir}/state for another store beside it`,
    exitCode: Exit.config,
  });
}

/** By the state directory, the store. */
function readOwners(record: string): Record<string, unknown> {
  const text = readIfThere(record) ?? '{}';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new InitError({
    stage: 'facts',
    what: `${record} is damaged`,
    errno: 'EINVAL',
    remedy: `rm ${record} # the next boot's storeDir is noted in it`,
    exitCode: Exit.config,
  });
}
