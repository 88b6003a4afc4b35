import type { ValidPaths } from '../harness/nixDatabase.ts';
import type { Outcome } from '../harness/run.ts';
import type { Call } from './calls.ts';
import type { CrashGround } from './ground.ts';
import type { Scenario } from './scenarios.ts';
import { readState, type State, strayFrom } from './state.ts';
import { type Errno, listCalls, type Run } from './strike.ts';

/** A scenario as it goes when nothing happens. */
export interface Undisturbed {
  calls: Call[];
  valid: ValidPaths;
  /** What may be there after the next boot: as if that alone had happened, or both; of each fact one of the two. */
  states: State[];
  next: Outcome;
}

const verify = ['nix-store', '--verify', '--check-contents'];

export async function undisturbed(ground: CrashGround, scenario: Scenario): Promise<Undisturbed> {
  await ground.begin(scenario);
  const valid = ground.validPaths(scenario.image);
  const { run, calls } = await listCalls(ground, scenario);
  assertWell(run.outcome, scenario);
  const next = await bootNext(ground, scenario);
  const states = [readState(ground.nix)];
  if (scenario.after !== scenario.image) {
    await ground.begin(scenario);
    await bootNext(ground, scenario);
    states.push(readState(ground.nix));
  }
  return { calls, valid, states, next };
}

function assertWell({ exitCode, stdout, stderr }: Outcome, { work }: Scenario): void {
  const wanted = work === undefined ? [0, 'ran\n', ''] : [143, 'ready\n', ''];
  if (JSON.stringify([exitCode, stdout, stderr]) !== JSON.stringify(wanted))
    throw new Error(`undisturbed, it ends with ${exitCode}: ${stdout}${stderr}`);
}

export interface Verdict {
  /** Paths that were valid and are still there, and are not valid any more. */
  lost: string[];
  /** Whatever else is not as it has to be. */
  wrong: string[];
}

/** Boots once more, as if nothing had happened, and looks at what there is. */
export async function judge(
  ground: CrashGround,
  scenario: Scenario,
  usual: Undisturbed,
  run: Run,
): Promise<Verdict> {
  const next = await bootNext(ground, scenario);
  const wrong: string[] = [];
  if (JSON.stringify(next) !== JSON.stringify(usual.next))
    wrong.push(`the next boot ends with ${next.exitCode}: ${next.stdout}${next.stderr}`);
  if (next.exitCode !== 0) return { lost: [], wrong };
  const before = run.worked?.valid ?? usual.valid;
  const after = ground.validPaths(scenario.after);
  const lost = ground.whole(before, scenario.after).filter((path) => !after.has(path));
  wrong.push(...strayFrom(run.worked ? [run.worked.state] : usual.states, readState(ground.nix)));
  return { lost, wrong };
}

async function bootNext(ground: CrashGround, { after }: Scenario): Promise<Outcome> {
  await ground.image(after);
  return await ground.nix.boot(verify);
}

const line = /^nix-cache-init: [a-z]+: [^\n]+: (E[A-Z]+) \([^\n]+\)\n$/;

/** What is wrong with how a boot ended in which a call failed: either that did not matter, or it says so in one line. */
export function judgeFailure({ outcome, worked }: Run, errno: Errno, { text }: Call): string[] {
  const { exitCode, stdout, stderr } = outcome;
  const went = worked === undefined ? exitCode === 0 && stdout === 'ran\n' : exitCode === 143;
  const logged = stderr.split('\n').every((entry) => entry === '' || entry.startsWith('{"level":'));
  if (went && logged) return [];
  const said = line.exec(stderr)?.[1];
  // SQLite tells full disks and read-only ones; the rest is an I/O error to it.
  const known = /db\.sqlite/.test(text) ? [errno, 'EIO', 'ENOSPC', 'EROFS', 'EACCES'] : [errno];
  if (exitCode === 74 && stdout === '' && said !== undefined && known.includes(said)) return [];
  return [`it ends with ${exitCode}: ${stdout}${stderr}`];
}
