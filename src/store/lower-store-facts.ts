import { statSync } from 'node:fs';
import type { Config } from '../config/keys.ts';
import { parseLowerStore } from '../config/lower-store.ts';
import { errnoOf } from '../errors.ts';
import { assertAnswers } from '../linux/socket.ts';

/** Of the store of another daemon whether there is its directory, and what connecting came to. */
export type LowerStoreFacts = { directory: boolean; errno: string | undefined };

/** @returns undefined when none is configured. */
export function lookAtLowerStore({ lowerStore }: Pick<Config, 'lowerStore'>): LowerStoreFacts | undefined {
  const lower = lowerStore === undefined ? undefined : parseLowerStore(lowerStore);
  if (lower === undefined) return undefined;
  const directory = statSync(lower.directory, { throwIfNoEntry: false })?.isDirectory() ?? false;
  try {
    assertAnswers(lower.socket);
    return { directory, errno: undefined };
  } catch (error) {
    return { directory, errno: errnoOf(error) };
  }
}
