import type { Config } from '../config/keys.ts';
import type { Failure } from '../errors.ts';
import type { Facts } from './facts.ts';
import type { Step, StrategyName } from './plan.ts';

/** Why a strategy cannot work here, in the parts of DESIGN §4.3's line. */
export type Unsupported = Omit<Failure, 'cause'>;

/** One way of making cached paths survive. Both functions are pure. */
export type Strategy = {
  name: StrategyName;
  unsupported(facts: Facts, config: Config): Unsupported | undefined;
  plan(facts: Facts, config: Config): Step[];
};
