import { parseCacheUri } from '../config/cache-uri.ts';
import type { Config } from '../config/keys.ts';
import { fromCache, fromPrefix, fromUpper } from '../push/places.ts';
import type { Facts } from './facts.ts';
import type { Step, StrategyName } from './plan.ts';

const sources = {
  overlay: fromUpper,
  'local-overlay': fromUpper,
  prefix: fromPrefix,
  substituter: fromCache,
  host: undefined,
  none: undefined,
} as const satisfies Record<StrategyName, unknown>;

/** What `push.to` asks for. Where it cannot be, that is said; it is no reason not to boot. */
export function push({ nix: { nix } }: Facts, config: Config, strategy: StrategyName): Step[] {
  const from = sources[strategy];
  const cannot = (why: string): Step[] => [{ do: 'warn', text: `nothing is pushed by itself: ${why}` }];
  if (from === undefined)
    return cannot(`strategy ${strategy} keeps no paths (nix-cache-init push --to URI PATH…)`);
  if (config.access === 'read-only') return cannot('the volume is only read');
  if (nix === undefined) return cannot('nix was not found (install Nix into the image, or put it on PATH)');
  const to = config['push.to'].flatMap((uri) => parseCacheUri(uri) ?? []);
  return [{ do: 'push', to, nix, ...from(config) }];
}
