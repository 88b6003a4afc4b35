import { writeFileSync } from 'node:fs';
import { analyzeBoot } from '../analyze/analysis.ts';
import { analysisSchema } from '../analyze/schema.ts';
import { drawAnalysis } from '../analyze/svg.ts';
import { formatAnalysis } from '../analyze/text.ts';
import type { CommandLine } from '../config/flags.ts';
import { toInitError, usageError } from '../errors.ts';
import { printOut, writeStderr } from '../log.ts';
import { runLayout } from '../store/run-layout.ts';
import { printJson, printSchema } from './json.ts';

/** Says where the time of the boot here went. */
export async function runAnalyze({ switches, values }: CommandLine): Promise<number> {
  if (switches.has('schema')) return printSchema('analyze', analysisSchema);
  const file = values.get('svg');
  if (file === '') throw usageError('--svg needs a file', 'say --svg FILE, or --svg - for standard output');
  if (file === '-' && switches.has('json'))
    throw usageError('--svg - and --json would be mixed', 'say --svg FILE');
  const analysis = analyzeBoot(runLayout.record);
  if (analysis === undefined) {
    // An answer, not a failure of ours: 1, as of `check`.
    writeStderr(
      `nix-cache-init: analyze: no boot of this version is recorded in ${runLayout.record}: ENOENT (run it where one is: docker exec CONTAINER nix-cache-init analyze)\n`,
    );
    return 1;
  }
  if (file === '-') printOut(drawAnalysis(analysis));
  else if (file !== undefined) writePicture(file, drawAnalysis(analysis));
  if (switches.has('json')) printJson(analysis);
  else if (file === undefined) printOut(formatAnalysis(analysis));
  return 0;
}

function writePicture(file: string, picture: string): void {
  try {
    writeFileSync(file, picture);
  } catch (error) {
    throw toInitError(error, 'analyze', `cannot write ${file}`);
  }
}
