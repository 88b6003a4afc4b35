import type { CommandLine } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { toInitError } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { readMountInfo } from '../linux/mountinfo.ts';
import { createLog, printOut } from '../log.ts';
import { type CheckRequest, checkStore } from '../state/check/check.ts';
import { findPlaces, isOnVolume } from '../state/check/places.ts';
import { repairStore } from '../state/repair/repair.ts';
import { showProgress } from '../store/progress.ts';
import { runDir, runLayout } from '../store/run-layout.ts';
import { runningStrategy } from '../store/running.ts';
import { type Held, holding } from '../volume/holding.ts';
import { volumeLayout } from '../volume/layout.ts';
import { storeEnvironment } from '../volume/prefix-layout.ts';
import { formatReport } from './check-report.ts';
import { interruptible } from './interruptible.ts';
import { printJson, printSchema } from './json.ts';
import { checkSchema } from './schemas/check.ts';

/** Says what of the store is not as its database has it; with --repair puts it right. Exit 1: something is wrong. */
export async function runCheck(line: CommandLine): Promise<number> {
  if (line.switches.has('schema')) return printSchema('check', checkSchema);
  return interruptible(async (signal) => {
    try {
      return await check(line, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw toInitError(error, 'check', 'cannot look at the store and its database');
    }
  });
}

async function check({ flags, file, switches }: CommandLine, signal: AbortSignal): Promise<number> {
  const { config: configured } = await loadConfig({ flags, file, env: process.env });
  const running = flags.has('strategy') ? undefined : runningStrategy();
  const config = { ...configured, strategy: running ?? configured.strategy };
  const places = findPlaces(config, readMountInfo(), runLayout);
  const progress = showProgress('comparing contents', createLog(configured));
  const request: CheckRequest = {
    places,
    contents: () => switches.has('contents'),
    env: storeEnvironment(config, process.env),
    signal,
    onProgress: progress.update,
  };
  const repair = switches.has('repair');
  const work = () => (repair ? repairStore(request) : checkStore(request));
  const report = await holding(lockOf(), signal, work).finally(progress.end);
  if (switches.has('json')) printJson(report);
  else printOut(formatReport(report));
  return report.findings.length > 0 ? 1 : 0;

  /** What nobody else may hold meanwhile. */
  function lockOf(): Held | undefined {
    if (isOnVolume(places)) {
      const remedy = 'stop that container, or run it there: docker exec CONTAINER nix-cache-init check';
      return { path: volumeLayout(places.volume.root).lock, remedy, needed: repair };
    }
    if (!repair) return undefined;
    // Init has the volume's; two repairs would undo each other's work. Where nothing is mounted, /run may not be ours.
    const place = places.realStoreDir === undefined ? runDir : volumeLayout(config.cacheDir).own;
    makeDirectories(place);
    return { of: 'repair', path: `${place}/repair.lock`, needed: true };
  }
}
