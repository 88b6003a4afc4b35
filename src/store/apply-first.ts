import type { Config } from '../config/keys.ts';
import { Exit, InitError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Timeline } from '../timeline.ts';
import { type Applied, type ApplyContext, apply } from './apply.ts';
import type { Facts } from './facts.ts';
import type { Plan, StrategyName } from './plan.ts';
import { candidates, goesOnAfter, refusal, select } from './select.ts';

export type FirstOptions = { facts: Facts; config: Config; timeline: Timeline } & ApplyContext;

export type First = {
  plan: Plan;
  applied: Applied;
  /** Why the strategies before it were not taken. */
  passedOver: string[];
  /** As it came to be: a volume that is locked may be read instead. */
  access: Config['access'];
};

/**
 * Applies the first strategy that works here. Whether mounting is denied, or the volume locked, no fact tells: AppArmor and the
 * lock are asked by trying.
 */
export async function applyFirst({
  facts,
  config: configured,
  timeline,
  ...context
}: FirstOptions): Promise<First> {
  const { log } = context;
  let config = configured;
  let denied: InitError[] = [];
  const reasons = new Set<string>();
  for (let strategies = candidates(config); ; ) {
    const { plan, passedOver, rest } = await select(facts, config, strategies);
    const errors = [...denied, ...passedOver.map(({ why }) => refusal(why))];
    if (plan === undefined) throw errors.at(-1) ?? new RangeError('no strategy to choose from');
    for (const { message } of errors) reasons.add(message);
    warnFallback(log, errors, plan.strategy);
    if (plan.strategy !== 'none' && plan.strategy !== 'host') warnUnmounted(facts, config, log);
    log.info(
      `strategy ${plan.strategy}: ${config.strategy === 'auto' ? 'the first that can work here' : 'as configured'}`,
    );
    log.debug('plan', plan);
    timeline.ended('strategy', plan.strategy);
    try {
      const applied = await apply(plan, context);
      timeline.ended('steps');
      return { plan, applied, passedOver: [...reasons], access: config.access };
    } catch (error) {
      timeline.ended('refused', plan.strategy);
      if (!(error instanceof InitError)) throw error;
      if (readsWhenLocked(config) && error.exitCode === Exit.locked) {
        denied = [];
        log.warn(`${error.what}; going on read-only: nothing new will be kept`);
        config = { ...config, access: 'read-only' };
        continue;
      }
      if (rest.length === 0 || !goesOnAfter(error)) throw error;
      denied = [error];
      strategies = rest;
    }
  }
}

const readsWhenLocked = ({ access, onLocked }: Config): boolean =>
  access === 'read-write' && onLocked === 'read-only';

function warnUnmounted({ volume }: Facts, { cacheDir, access }: Config, log: Log): void {
  // Who reads expects nothing to be kept.
  if (volume.kind !== 'directory' || volume.mounted || access === 'read-only') return;
  log.warn(`nothing is mounted at ${cacheDir}: nothing will be kept (docker run -v cache:${cacheDir})`);
}

/** One line, with each reason once. */
function warnFallback(log: Log, errors: readonly InitError[], next: StrategyName): void {
  if (errors.length === 0) return;
  const reasons = [...new Set(errors.map(({ message }) => message))].join('; ');
  const kept = next === 'none' ? ', nothing will be kept' : '';
  log.warn(`${reasons}; going on with strategy ${next}${kept}`);
}
