import { inLanes } from '../harness/lanes.ts';
import type { Call } from './calls.ts';
import { canFail } from './errnos.ts';
import { type CrashGround, makeCrashGround } from './ground.ts';
import { judge, judgeFailure, undisturbed } from './judge.ts';
import type { Scenario } from './scenarios.ts';
import { type Blow, strike } from './strike.ts';

/** One scenario under one kind of blow. */
export interface Sweep {
  scenario: Scenario;
  blow: Blow;
}

/** What came of it: so many calls were struck, one in each run. */
export interface Swept extends Sweep {
  /** How many calls of each kind were struck. */
  points: Map<string, number>;
  /** Boots that went on although a call failed, by what they did without. */
  ignored: string[];
  /** Calls that could not be met. */
  unmet: string[];
  lost: string[];
  wrong: string[];
}

/**
 * Strikes the calls of some scenarios one at a time, each on a volume put back, two at once.
 * @param choose which of a scenario's calls.
 */
export async function sweepAll(
  sweeps: readonly Sweep[],
  choose: (calls: Call[]) => Call[],
  onSwept: (swept: Swept) => void,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const lanes = Math.min(2, sweeps.length);
  const free: CrashGround[] = [];
  for (let lane = 0; lane < lanes; lane += 1) free.push(stack.use(await makeCrashGround()));
  await inLanes(lanes, sweeps, async (sweep) => {
    const ground = free.pop();
    if (ground === undefined) throw new Error('more lanes than grounds');
    try {
      onSwept(await sweepOne(ground, sweep, choose));
    } finally {
      free.push(ground);
    }
  });
}

/** Chooses so many calls from all over a scenario. */
export const evenly =
  (count: number) =>
  (calls: Call[]): Call[] => {
    const step = Math.max(1, calls.length / count);
    return calls.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
  };

/** The time of `upper` is noted when that is some ticks old: not at every boot. */
const byTheClock = /\.nix-cache-init\/swept[">]/;

async function sweepOne(
  ground: CrashGround,
  { scenario, blow }: Sweep,
  choose: (calls: Call[]) => Call[],
): Promise<Swept> {
  const swept: Swept = { scenario, blow, points: new Map(), ignored: [], unmet: [], lost: [], wrong: [] };
  const usual = await undisturbed(ground, scenario);
  // A call that changes nothing because it fails can fail in another way, but is no moment of its own.
  const candidates = usual.calls.filter(({ name, failed }) =>
    blow === 'KILL' ? !failed : canFail(name, blow),
  );
  for (const call of choose(candidates)) {
    const run = await strike(ground, scenario, call, blow);
    const where = `${blow} at ${shown(call, ground)}`;
    if (run === undefined) {
      if (!byTheClock.test(call.text)) swept.unmet.push(where);
      continue;
    }
    swept.points.set(call.name, (swept.points.get(call.name) ?? 0) + 1);
    const wrong = blow === 'KILL' ? [] : judgeFailure(run, blow, call);
    if (blow !== 'KILL' && wrong.length === 0 && run.outcome.exitCode !== 74) swept.ignored.push(where);
    const verdict = await judge(ground, scenario, usual, run);
    swept.lost.push(...verdict.lost.map((path) => `${where}: ${path}`));
    swept.wrong.push(...[...wrong, ...verdict.wrong].map((what) => `${where}: ${what}`));
  }
  return swept;
}

/** A call as strace shows it, with paths as the machine has them, and nothing of what came of it. */
const shown = ({ text, n }: Call, { nix }: CrashGround): string =>
  `${text.replaceAll(nix.machine.root, '').replace(/\)? *(= |<unfinished).*$/, ')')} [${n}]`;
