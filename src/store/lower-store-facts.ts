import { statSync } from 'node:fs';
import type { Config } from '../config/keys.ts';
import { parseLowerStore } from '../config/lower-store.ts';
import { type DaemonHello, HELLO_MS, helloDaemon, type NoDaemon } from '../nix/hello.ts';

/** What there is of the store of another daemon. */
export type LowerStoreFacts = {
  /** Whether its paths have a directory here. */
  directory: boolean;
  daemon: DaemonHello | NoDaemon;
};

/** Looks for its directory, and talks with its daemon: for a second at most. @returns undefined when none is configured. */
export function lookAtLowerStore({ lowerStore }: Pick<Config, 'lowerStore'>): LowerStoreFacts | undefined {
  const lower = lowerStore === undefined ? undefined : parseLowerStore(lowerStore);
  if (lower === undefined) return undefined;
  return {
    directory: statSync(lower.directory, { throwIfNoEntry: false })?.isDirectory() ?? false,
    daemon: helloDaemon(lower.socket, HELLO_MS),
  };
}
