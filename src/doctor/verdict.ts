import type { Config } from '../config/keys.ts';
import { type ExitCode, InitError } from '../errors.ts';
import type { Facts } from '../store/facts.ts';
import { allStrategies, candidates, goesOnAfter, refusal, select } from '../store/select.ts';
import type { Strategy, Unsupported } from '../store/strategy.ts';
import type { Finding } from './check.ts';

export type StrategyVerdict = { name: Strategy['name']; possible: boolean; why?: string };

export type Verdict = {
  strategies: StrategyVerdict[];
  /** The one that a boot here would take; null: it would fail. */
  chosen: Strategy['name'] | null;
  exitCode: ExitCode | 0;
  /** The same in one line. */
  line: string;
};

/** Why a strategy cannot work, and when a boot would see that: before it begins, when it gets there, or never. */
type Obstacle = { why: Unsupported; seen: 'at once' | 'midway' | 'never' };

/** What a boot here would do, as `boot.ts` would decide it. */
export function judge(facts: Facts, config: Config, findings: readonly Finding[]): Verdict {
  const order = candidates(config);
  const obstacles = new Map(
    [...order, ...allStrategies.filter((strategy) => !order.includes(strategy))].map((strategy) => [
      strategy,
      obstacleTo(strategy, facts, config, findings),
    ]),
  );
  const strategies = [...obstacles].map(([{ name }, obstacle]): StrategyVerdict => {
    if (obstacle === undefined) return { name, possible: true };
    return { name, possible: false, why: refusal(obstacle.why).message };
  });
  return { strategies, ...decide(order, obstacles, config) };
}

function decide(
  order: readonly Strategy[],
  obstacles: ReadonlyMap<Strategy, Obstacle | undefined>,
  config: Config,
): Omit<Verdict, 'strategies'> {
  const passedOver: string[] = [];
  let first: Unsupported | undefined;
  for (const [index, strategy] of order.entries()) {
    const obstacle = obstacles.get(strategy);
    if (obstacle === undefined) {
      const { name } = strategy;
      const useless = name === 'none' && config.strategy !== 'none';
      const line = [`a boot here: strategy ${name}`, ...passedOver].join('; ');
      return { chosen: name, exitCode: useless ? (first?.exitCode ?? 0) : 0, line };
    }
    const { why, seen } = obstacle;
    const { message } = refusal(why);
    if (seen === 'never') {
      const line = `a boot here: strategy ${strategy.name}, which will not hold: ${message}`;
      return { chosen: strategy.name, exitCode: why.exitCode, line };
    }
    first ??= why;
    passedOver.push(`not ${strategy.name}: ${message}`);
    const goesOn = seen === 'at once' || (goesOnAfter(refusal(why)) && index < order.length - 1);
    if (!goesOn) return refused(why);
  }
  if (first === undefined) throw new RangeError('no strategy to choose from');
  return refused(first);
}

const refused = (why: Unsupported): Omit<Verdict, 'strategies'> => ({
  chosen: null,
  exitCode: why.exitCode,
  line: `a boot here: refused with ${why.exitCode}: ${refusal(why).message}`,
});

function obstacleTo(
  strategy: Strategy,
  facts: Facts,
  config: Config,
  findings: readonly Finding[],
): Obstacle | undefined {
  try {
    const { plan, passedOver } = select(facts, config, [strategy]);
    const [refused] = passedOver;
    if (refused !== undefined) return { why: refused.why, seen: 'at once' };
    const kinds = new Set(plan?.steps.map((step) => step.do));
    const all = findings.flatMap(({ blocks }) => blocks ?? []);
    const blocking = all.filter(({ steps }) => steps === 'all' || steps.some((kind) => kinds.has(kind)));
    const first = blocking.find(({ unnoticed }) => !unnoticed) ?? blocking[0];
    return first && { why: first.failure, seen: first.unnoticed ? 'never' : 'midway' };
  } catch (error) {
    if (error instanceof InitError) return { why: error, seen: 'midway' };
    throw error;
  }
}
