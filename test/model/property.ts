import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkContents } from './checks.ts';
import { anyCommand } from './commands/any.ts';
import { builtIn } from './commands/build.ts';
import { describe, type Ground } from './ground.ts';
import { Model } from './model.ts';
import { end, ensureRunning } from './session.ts';

const LONGEST = 14;

export interface RunOptions {
  runs: number;
  seed: number;
  /** Goes straight to one sequence of an earlier run, or one that it was shrunk to. */
  path?: string;
  replayPath?: string;
  /** Takes the first sequence that fails as it is. */
  asItIs?: boolean;
  /** Told after each sequence. */
  onRun?: (text: string) => void;
}

/** What came of it; `failure` is what a person needs: the sequence, shrunk, why, and how to see it again. */
export interface RunReport {
  runs: number;
  seed: number;
  failure: string | undefined;
}

/** Runs random sequences of operations on a volume, against the model. */
export async function runModel(ground: Ground, options: RunOptions): Promise<RunReport> {
  const { runs, seed, path, replayPath, onRun, asItIs = false } = options;
  const commands = fc.commands(anyCommand(ground), {
    maxCommands: LONGEST,
    size: 'max',
    ...(replayPath === undefined ? {} : { replayPath }),
  });
  const property = fc.asyncProperty(commands, async (sequence) => {
    await ground.reset();
    const model = new Model(ground.universe);
    try {
      await fc.asyncModelRun(() => ({ model, real: ground }), sequence);
      await finish(model, ground);
    } finally {
      // Before that nothing of it has run, and it shows nothing.
      onRun?.(String(sequence));
    }
  });
  const parameters = { numRuns: runs, seed, endOnFailure: asItIs, ...(path === undefined ? {} : { path }) };
  const details = await fc.check(property, parameters);
  const { numRuns, failed, counterexample, counterexamplePath, errorInstance } = details;
  if (!failed) return { runs: numRuns, seed, failure: undefined };
  const sequence = String(counterexample?.[0] ?? '');
  const replay = /\/\*replayPath=("[^"]*")\*\//.exec(sequence)?.[1];
  const again = `npm run model -- --seed ${seed} --path ${counterexamplePath} --replay ${replay}`;
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  return { runs: numRuns, seed, failure: `${sequence}\n${why}\nagain: ${again}` };
}

/** At the end of each sequence: every path has its contents, and what is valid is not built again. */
async function finish(model: Model, ground: Ground): Promise<void> {
  await ensureRunning(model, ground);
  await checkContents(ground, 'at the end');
  const built = [...ground.universe.packages].filter(([, { output }]) => model.valid.has(output));
  const wanted = built.flatMap(([name]) => ['-A', name]).join(' ');
  const outcome = await ground.script(`nix-build /packages.nix ${wanted} --no-out-link`);
  assert.equal(outcome.exitCode, 0, describe(outcome));
  assert.deepEqual(builtIn(outcome.stderr), [], 'what is valid is built again');
  await end(model, ground, 'SIGKILL');
}
