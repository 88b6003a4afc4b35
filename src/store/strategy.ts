import type { Config } from '../config/keys.ts';
import type { Failure } from '../errors.ts';
import type { Facts } from './facts.ts';
import type { Step, StrategyName } from './plan.ts';

/** Why a strategy cannot work here, in the parts of DESIGN §4.3's line. */
export type Unsupported = Omit<Failure, 'cause'>;

/** How a nix-daemon is started other than the image would: with further arguments, and variables set or (undefined) unset. */
export type DaemonStart = { args?: string[]; env?: Record<string, string | undefined> };

/** One way of making cached paths survive. All functions are pure. */
export type Strategy = {
  name: StrategyName;
  unsupported(facts: Facts, config: Config): Unsupported | undefined;
  plan(facts: Facts, config: Config): Step[];
  /** What it asks of the daemon that init starts; 'none': there must be no such. */
  daemon?(facts: Facts, config: Config): DaemonStart | 'none';
};
