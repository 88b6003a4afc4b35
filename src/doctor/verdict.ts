import type { Config } from '../config/keys.ts';
import { type ExitCode, InitError } from '../errors.ts';
import type { Facts } from '../store/facts.ts';
import { isMounting, type Step, type StrategyName } from '../store/plan.ts';
import { allStrategies, candidates, goesOnAfter, refusal, select } from '../store/select.ts';
import type { Unsupported } from '../store/strategy.ts';
import type { Blocks, Finding } from './check.ts';

export type StrategyVerdict = { name: StrategyName; possible: boolean; why?: string };

export type Verdict = {
  strategies: StrategyVerdict[];
  /** The one that a boot here would take; null: it would fail. */
  chosen: StrategyName | null;
  exitCode: ExitCode | 0;
  /** The same in one line. */
  line: string;
};

/** Why a strategy cannot work, and when a boot would see that: before it begins, when it gets there, or never. */
type Obstacle = { why: Unsupported; seen: 'at once' | 'midway' | 'never' };

type Obstacles = Map<StrategyName, Obstacle | undefined>;

/** What a boot here would do, as `boot.ts` would decide it. */
export async function judge(facts: Facts, config: Config, findings: readonly Finding[]): Promise<Verdict> {
  const order = candidates(config);
  const obstacles: Obstacles = new Map();
  for (const name of [...order, ...allStrategies.filter((name) => !order.includes(name))])
    obstacles.set(name, await obstacleTo(name, facts, config, findings));
  const strategies = [...obstacles].map(([name, obstacle]): StrategyVerdict => {
    if (obstacle === undefined) return { name, possible: true };
    return { name, possible: false, why: refusal(obstacle.why).message };
  });
  return { strategies, ...decide(order, obstacles, config) };
}

function decide(
  order: readonly StrategyName[],
  obstacles: Readonly<Obstacles>,
  config: Config,
): Omit<Verdict, 'strategies'> {
  const passedOver: string[] = [];
  let first: Unsupported | undefined;
  for (const [index, name] of order.entries()) {
    const obstacle = obstacles.get(name);
    if (obstacle === undefined) {
      const useless = name === 'none' && config.strategy !== 'none';
      const line = [`a boot here: strategy ${name}`, ...passedOver].join('; ');
      return { chosen: name, exitCode: useless ? (first?.exitCode ?? 0) : 0, line };
    }
    const { why, seen } = obstacle;
    const { message } = refusal(why);
    if (seen === 'never') {
      const line = `a boot here: strategy ${name}, which will not hold: ${message}`;
      return { chosen: name, exitCode: why.exitCode, line };
    }
    first ??= why;
    passedOver.push(`not ${name}: ${message}`);
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

async function obstacleTo(
  strategy: StrategyName,
  facts: Facts,
  config: Config,
  findings: readonly Finding[],
): Promise<Obstacle | undefined> {
  try {
    const { plan, passedOver } = await select(facts, config, [strategy]);
    const [refused] = passedOver;
    if (refused !== undefined) return { why: refused.why, seen: 'at once' };
    const blocking = findings.flatMap(({ blocks }) =>
      blocks !== undefined && concerns(blocks, plan?.steps ?? []) ? [blocks] : [],
    );
    const first = blocking.find(({ unnoticed }) => !unnoticed) ?? blocking[0];
    return first && { why: first.failure, seen: first.unnoticed ? 'never' : 'midway' };
  } catch (error) {
    if (error instanceof InitError) return { why: error, seen: 'midway' };
    throw error;
  }
}

function concerns({ steps: kinds }: Blocks, steps: readonly Step[]): boolean {
  if (kinds === 'all') return true;
  return steps.some((step) => (kinds === 'mounting' ? isMounting(step) : kinds.includes(step.do)));
}
