import { constants, setPriority } from 'node:os';
import type { CommandLine } from '../config/flags.ts';
import type { Config } from '../config/keys.ts';
import { loadConfig } from '../config/load.ts';
import { parseDuration, parseSize } from '../config/units.ts';
import { Exit, hasErrno, InitError, toInitError, usageError } from '../errors.ts';
import type { Goal } from '../gc/choose.ts';
import { collectBinaryCache } from '../gc/collect-binary-cache.ts';
import { type CollectRequest, collectStore } from '../gc/collect-store.ts';
import { noteCollection } from '../gc/last.ts';
import { lockOf } from '../gc/lock.ts';
import { NixRefusal } from '../gc/nix.ts';
import { findCollectable, strategyHere, type ToCollect } from '../gc/places.ts';
import { prepareRoots } from '../gc/prepare-roots.ts';
import type { GcReport } from '../gc/report.ts';
import { readMountInfo } from '../linux/mountinfo.ts';
import { createLog, printOut } from '../log.ts';
import { showProgress } from '../store/progress.ts';
import { holding } from '../volume/holding.ts';
import { formatGcReport } from './gc-report.ts';
import { interruptible } from './interruptible.ts';
import { printJson, printSchema } from './json.ts';
import { gcSchema } from './schemas/gc.ts';

/** Deletes cached paths that nothing needs. Exit 1: the cache is still over the wanted size. */
export async function runGc(line: CommandLine): Promise<number> {
  const { switches } = line;
  if (switches.has('schema')) return printSchema('gc', gcSchema);
  const goal = goalOf(line.values);
  if (switches.has('background')) setPriority(constants.priority.PRIORITY_LOW);
  return interruptible(async (signal) => {
    try {
      return await run(line, goal, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error);
    }
  });
}

/** @throws {InitError} 64 for what is no size or age. */
function goalOf(values: ReadonlyMap<string, string>): Goal {
  const size = values.get('max-size');
  const age = values.get('older-than');
  const maxBytes = size === undefined ? undefined : parseSize(size);
  const ageMs = age === undefined ? undefined : parseDuration(age);
  if (size !== undefined && maxBytes === undefined)
    throw usageError(`--max-size is no size: ${size}`, 'say how much, such as --max-size 20G');
  if (age !== undefined && ageMs === undefined)
    throw usageError(`--older-than is no time: ${age}`, 'say how long, such as --older-than 30d');
  return { maxBytes, before: ageMs === undefined ? undefined : Date.now() - ageMs };
}

async function run({ flags, file, switches }: CommandLine, goal: Goal, signal: AbortSignal): Promise<number> {
  const { config: configured } = await loadConfig({ flags, file, env: process.env });
  const config = { ...configured, strategy: strategyHere(configured, flags.has('strategy')) };
  const mounts = readMountInfo();
  const log = createLog(config);
  const what = findCollectable(config, mounts, process.env);
  const bars = {
    measuring: showProgress('measuring the cache', log),
    deleting: showProgress('collecting garbage', log),
  };
  const request: CollectRequest = {
    goal,
    dryRun: switches.has('dry-run'),
    signal,
    onProgress: (which, done, total) => bars[which].update(done, total),
  };
  const work = (): Promise<GcReport> => {
    prepareRoots(what, config, log);
    return what.kind === 'store' ? collectStore(what, request) : collectBinaryCache(what, request);
  };
  const report = await holding(lockOf(what, config), signal, work).finally(() => {
    for (const bar of Object.values(bars)) bar.end();
  });
  if (!request.dryRun) note(report, what, config);
  if (switches.has('json')) printJson(report);
  else printOut(formatGcReport(report));
  return report.under ? 0 : 1;
}

/** Of a store with no volume nobody asks when it was collected. */
function note(report: GcReport, what: ToCollect, { cacheDir, strategy }: Config): void {
  if (what.kind === 'store' && what.places.volume === undefined && strategy !== 'prefix') return;
  noteCollection(report, cacheDir);
}

function explain(error: unknown): InitError {
  if (error instanceof NixRefusal) {
    const { full } = error;
    return new InitError({
      stage: 'gc',
      what: `nix-store: ${error.message.split('\n').at(-1)}`,
      errno: full ? 'ENOSPC' : 'EIO',
      remedy: full ? 'enlarge the volume, then run it again' : 'nix-cache-init check',
      exitCode: Exit.io,
      cause: error,
    });
  }
  const known = toInitError(error, 'gc', 'cannot collect garbage');
  if (!hasErrno(error, 'EACCES', 'EPERM')) return known;
  return new InitError({
    ...known,
    remedy: 'docker exec --user root CONTAINER nix-cache-init gc',
    cause: error,
  });
}
