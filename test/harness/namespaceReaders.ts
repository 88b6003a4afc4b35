import type { NamespaceBoot } from './namespaceBoot.ts';
import { overlay } from './namespaceStore.ts';

/** As containers have it: a /run of its own, since all of a machine's boots share the rest. */
const ownRun = 'mount -t tmpfs run /run && mkdir /run/nix-cache-init';
const readOnlyVolume = 'mount -o remount,bind,ro /nix-cache';

/** Boots that share a volume, each a container of its own. */
export const writer = (...command: string[]): NamespaceBoot => ({
  args: overlay(...command),
  via: `${ownRun} && exec "$@"`,
});

/** One that only reads it, and could not do otherwise. */
export const reader = (...command: string[]): NamespaceBoot => ({
  args: ['--access=read-only', ...overlay(...command)],
  via: `${ownRun} && ${readOnlyVolume} && exec "$@"`,
});
