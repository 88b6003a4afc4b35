import type { Config } from '../config/keys.ts';
import type { Failure } from '../errors.ts';
import type { Facts } from './facts.ts';
import type { Step, StrategyName } from './plan.ts';

/** Why a strategy cannot work here, in the parts of DESIGN §4.3's line. */
export type Unsupported = Omit<Failure, 'cause'>;

/** How a nix-daemon is started other than the image would. */
export type DaemonStart = {
  /** Further arguments. */
  args?: string[];
  /** Variables set or (undefined) unset. */
  env?: Record<string, string | undefined>;
  /** Lines of nix.conf for it and what it runs, after those of the user's NIX_CONFIG: that may hold tokens, and a plan is shown. */
  nixConfig?: string[];
};

/** One way of making cached paths survive. All functions are pure. */
export type Strategy = {
  name: StrategyName;
  unsupported(facts: Facts, config: Config): Unsupported | undefined;
  plan(facts: Facts, config: Config): Step[];
  /** What it asks of the daemon that init starts; 'none': there must be no such. */
  daemon?(facts: Facts, config: Config): DaemonStart | 'none';
};
