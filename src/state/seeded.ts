import { existsSync } from 'node:fs';
import { removeTree } from '../linux/remove.ts';
import { databaseFile } from './database.ts';

/**
 * Whether a volume has its own state directory, as at all boots but the first. Apart from making one, which is not loaded
 * then. What an interrupted boot left in `staging` is removed.
 */
export function isSeeded({ from, to, staging }: Record<'from' | 'to' | 'staging', string>): boolean {
  removeTree(staging);
  if (existsSync(databaseFile(to))) return true;
  // An image without a database has nothing that a state directory without one could be lacking.
  return existsSync(to) && !existsSync(databaseFile(from));
}
