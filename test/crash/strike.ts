import { overlay } from '../harness/namespaceStore.ts';
import type { ValidPaths } from '../harness/nixDatabase.ts';
import { type Outcome, runOk } from '../harness/run.ts';
import { type Straced, startStraced } from '../harness/straced.ts';
import { type Call, changesIn, changingCalls, linesOf, sameCall } from './calls.ts';
import type { CrashGround } from './ground.ts';
import type { Scenario } from './scenarios.ts';
import { readState, type State } from './state.ts';

/** A scenario's boot, to its end. */
export interface Run {
  outcome: Outcome;
  init: number;
  log: string;
  /** What there was before the shutdown, where that is what the scenario is about. */
  worked?: { state: State; valid: ValidPaths };
}

/** All that init does to the machine in a scenario's boot, undisturbed. */
export async function listCalls(
  ground: CrashGround,
  scenario: Scenario,
): Promise<{ run: Run; calls: Call[] }> {
  const run = await runScenario(ground, scenario, ['-e', `trace=${changingCalls.join()},execve`]);
  const calls = changesIn(run.log, run.init, scenario.work === undefined ? undefined : /^--- SIGTERM /);
  return { run, calls };
}

/** What strace does to a call: kill who makes it, before it is made, or have it fail. */
export const blows = ['KILL', 'ENOSPC', 'EDQUOT', 'EIO', 'EROFS'] as const;
export type Blow = (typeof blows)[number];
export type Errno = Exclude<Blow, 'KILL'>;

/** For what another thread happens to do before it. */
const TRIES = 3;

/**
 * Runs a scenario's boot with one call struck.
 * @returns undefined when that call could not be met.
 */
export async function strike(
  ground: CrashGround,
  scenario: Scenario,
  call: Call,
  blow: Blow,
): Promise<Run | undefined> {
  const { name, path, n, text } = call;
  const effect = blow === 'KILL' ? 'signal=KILL' : `error=${blow}`;
  const about = path === undefined ? [] : ['-P', path];
  const options = [...about, '-e', `trace=${name},execve`, '-e', `inject=${name}:${effect}:when=${n}`];
  for (let left = TRIES; left > 0; left -= 1) {
    await ground.begin(scenario);
    const run = await runScenario(ground, scenario, options);
    const struck = blow === 'KILL' ? killedAt(run) : failedAt(run);
    // Another thread may read the same file: each has a count of its own.
    if (struck.some((line) => sameCall(line, text))) return run;
  }
  return undefined;
}

async function runScenario(ground: CrashGround, scenario: Scenario, options: string[]): Promise<Run> {
  await ground.image(scenario.image);
  const { machine } = ground.nix;
  const command =
    scenario.work === undefined ? ['echo', 'ran'] : ['sh', '-c', 'echo ready; exec sleep infinity'];
  const args = overlay('busybox', ...command).filter(
    (word) => !(scenario.daemon && /^(--daemon-enabled|no)$/.test(word)),
  );
  await using straced = await startStraced(machine, { args }, options);
  const worked = scenario.work === undefined ? undefined : await workIn(ground, straced, scenario);
  const outcome = await straced.ended;
  return { outcome, init: straced.init, log: await straced.log, ...(worked && { worked }) };
}

/** Works in the running container, and has it stopped; undefined when it did not get that far. */
async function workIn(
  ground: CrashGround,
  straced: Straced,
  { work = '', image }: Scenario,
): Promise<Run['worked']> {
  const ready = straced.waitFor(/ready/).then(() => true);
  if (!(await Promise.race([ready.catch(() => false), straced.ended.then(() => false)]))) return undefined;
  await runOk('nsenter', [
    ...['--target', `${straced.init}`, '--mount', '--pid', '--root', '--wd'],
    ...['env', '-i', 'PATH=/usr/bin', 'HOME=/root', 'sh', '-euc', work],
  ]);
  const worked = { state: readState(ground.nix), valid: ground.validPaths(image) };
  straced.signal('SIGTERM');
  return worked;
}

/** The calls that init was about to make when it was killed. */
function killedAt({ log, init }: Run): string[] {
  const lines = linesOf(log, init);
  if (!lines.some(({ thread, text }) => thread === `${init}` && text === '+++ killed by SIGKILL +++'))
    return [];
  return lines.flatMap(({ text }) => (/^\w+\(.*( = \?|<unfinished \.\.\.>)$/.test(text) ? [text] : []));
}

function failedAt({ log, init }: Run): string[] {
  return linesOf(log, init).flatMap(({ text }) => (text.endsWith('(INJECTED)') ? [text] : []));
}
