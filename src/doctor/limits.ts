import type { Config } from '../config/keys.ts';
import { prefixLimits } from '../store/prefix.ts';
import { type Finding, fine } from './check.ts';

/** What a strategy that was asked for cannot do by its nature: nothing is wrong, but one should know. */
export const limitChecks = (config: Config): Finding[] =>
  config.strategy === 'prefix'
    ? prefixLimits(config).map(({ what, because, instead }) =>
        fine('limit', `not ${what}: ${because}`, instead),
      )
    : [];
