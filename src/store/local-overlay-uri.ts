import type { Config } from '../config/keys.ts';
import { parseLowerStore } from '../config/lower-store.ts';
import { isBefore } from '../state/nix-version.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { Facts } from './facts.ts';
import { runLayout } from './run-layout.ts';

/** Where our own program is called by the name of one of its commands: Nix runs a hook with no more than the store directory. */
const remountHook = '/opt/nix-cache-init/bin/remount';

/** The first version that does not decode the URI of the lower store twice (src/libstore/local-overlay-store.cc). */
const DECODES_ONCE = [2, 34] as const;

/** A value in a store URI. Slashes need no encoding, and are what makes it readable. */
const encode = (value: string): string => encodeURIComponent(value).replaceAll('%2F', '/');

function storeUri(base: string, params: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(params).map(([name, value]) => `${name}=${encode(value)}`);
  return `${base}?${pairs.join('&')}`;
}

/**
 * The URI of the daemon's store. It has the database of the volume, in which the image's paths are too; what that lacks Nix
 * asks the lower store for.
 */
export function localOverlayUri(facts: Facts, config: Config): string {
  const { storeDir, stateDir } = config;
  const lower = lowerUri(facts, config);
  return storeUri('local-overlay://', {
    store: storeDir,
    real: storeDir,
    state: stateDir,
    'lower-store': isBefore(facts.nixVersion, DECODES_ONCE) ? encode(lower) : lower,
    'upper-layer': upperLayer(config),
    'check-mount': String(canCheckMount(facts, config)),
    'remount-hook': remountHook,
  });
}

const upperLayer = ({ access, cacheDir }: Config): string =>
  access === 'read-only' ? runLayout.upper : volumeLayout(cacheDir).upper;

function lowerUri(facts: Facts, { storeDir, lowerStore }: Config): string {
  if (lowerStore !== undefined) return lowerStore;
  return storeUri('local', {
    store: storeDir,
    real: lowerReal(facts, storeDir),
    state: runLayout.lowerNix,
    'read-only': 'true',
  });
}

/** Nix makes `.links` in a read-only store, too: where that cannot be, it is shown the one above. */
const lowerReal = (facts: Facts, storeDir: string): string =>
  facts.storeLinks || canMakeLinks(facts) ? runLayout.lowerStore : storeDir;

/** Whether the image's own layer can be written: its store is where its state is. */
export const canMakeLinks = ({ stateReadOnly }: Facts): boolean => !stateReadOnly;

/**
 * Nix looks in /proc/mounts for one lower directory, the lower store's, and for the upper, taking both for regular
 * expressions: what is escaped there, or is one, it would not find.
 */
function canCheckMount(facts: Facts, config: Config): boolean {
  const { storeDir, access, lowers, lowerStore } = config;
  if (access === 'read-only' || lowers.length > 0 || lowerStore !== undefined) return false;
  return lowerReal(facts, storeDir) !== storeDir && [storeDir, upperLayer(config)].every(isPlain);
}

const isPlain = (path: string): boolean => /^[\w./-]+$/.test(path);

/** The directory of the other daemon's paths. */
export function lowerDirectory({ lowerStore }: Config): string[] {
  const lower = lowerStore === undefined ? undefined : parseLowerStore(lowerStore);
  return lower === undefined ? [] : [lower.directory];
}
