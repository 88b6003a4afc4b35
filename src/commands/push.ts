import { type CacheUri, parseCacheUri } from '../config/cache-uri.ts';
import type { CommandLine } from '../config/flags.ts';
import { type Config, keys } from '../config/keys.ts';
import { loadConfig } from '../config/load.ts';
import { toInitError, usageError } from '../errors.ts';
import { strategyHere } from '../gc/places.ts';
import { readMountInfo } from '../linux/mountinfo.ts';
import { createLog, printOut } from '../log.ts';
import { findNew, pushByHand, storePathOf } from '../push/by-hand.ts';
import { lendCacheHome } from '../push/cache-home.ts';
import type { PushReport } from '../push/report.ts';
import { requireNix } from '../state/check/nix.ts';
import { findPlaces } from '../state/check/places.ts';
import { showProgress } from '../store/progress.ts';
import { runLayout } from '../store/run-layout.ts';
import { Reaper } from '../supervise/reaper.ts';
import { storeEnvironment } from '../volume/prefix-layout.ts';
import { interruptible } from './interruptible.ts';
import { printJson, printSchema } from './json.ts';
import { formatPushReport } from './push-report.ts';
import { pushSchema } from './schemas/push.ts';

/** Copies paths to binary caches. Exit 1: something is not there. */
export async function runPush(line: CommandLine): Promise<number> {
  const { switches, rest } = line;
  if (switches.has('schema')) return printSchema('push', pushSchema);
  const misplaced = rest.find((word) => word.startsWith('-'));
  if (misplaced !== undefined)
    throw usageError(`${misplaced} comes after a path`, 'say options first: push --to URI PATH…');
  const to = line.values.get('to');
  const named = to === undefined ? [] : [cacheNamed(to)];
  return await interruptible(async (signal) => {
    try {
      return await push(line, named, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw toInitError(error, 'push', 'cannot push');
    }
  });
}

function cacheNamed(uri: string): CacheUri {
  const known = parseCacheUri(uri);
  // Not the text itself: where it is wrong may be what is secret in it.
  if (known === undefined)
    throw usageError(
      '--to is no URI of a store of Nix to copy to',
      'such as --to https://cache.example; file, s3, ssh, ssh-ng and the like',
    );
  return known;
}

async function push(line: CommandLine, named: readonly CacheUri[], signal: AbortSignal): Promise<number> {
  const { flags, file, switches, rest } = line;
  const { config } = await loadConfig({ flags, file, env: process.env });
  const strategy = strategyHere(config, flags.has('strategy'));
  const caches = named.length > 0 ? named : config['push.to'].flatMap((uri) => parseCacheUri(uri) ?? []);
  if (caches.length === 0)
    throw usageError(
      'push needs a binary cache',
      `say --to URI, or set push.to to ${keys['push.to'].allowed}`,
    );
  const report = await pushToAll(
    { ...config, strategy },
    caches,
    { rest, again: switches.has('again') },
    signal,
  );
  if (switches.has('json')) printJson(report);
  else printOut(formatPushReport(report));
  return report.caches.some(({ missing }) => missing.length > 0) ? 1 : 0;
}

async function pushToAll(
  config: Config,
  caches: readonly CacheUri[],
  { rest, again }: { rest: readonly string[]; again: boolean },
  signal: AbortSignal,
): Promise<PushReport> {
  const log = createLog(config);
  const env = storeEnvironment(config, process.env);
  const nix = requireNix('nix', { env, signal, stage: 'push' });
  const places = findPlaces(config, readMountInfo(), runLayout);
  const named = new Set(rest.map((path) => storePathOf(path, config.storeDir)));
  const paths = named.size === 0 ? undefined : [...named];
  const from = paths !== undefined && places.kind === 'volume' ? undefined : findNew(config, places);
  if (paths === undefined && from === undefined)
    throw usageError(
      'there is no volume here, so that nothing is new',
      'say which paths: push --to URI PATH…',
    );
  // As init does it: what is run is not Node's child, whose loop does not know of it.
  const reaper = new Reaper();
  reaper.start();
  const keepAlive = new MessageChannel().port1;
  keepAlive.ref();
  const home = lendCacheHome(env, log);
  const running = {
    log,
    signal,
    env: { ...env, ...home.variables, LC_ALL: 'C' },
    exitOf: (pid: number) => reaper.exitOf(pid),
  };
  try {
    const report: PushReport = { caches: [] };
    for (const to of caches) {
      const { update, end } = showProgress(`pushing to ${to.shown}`, log);
      const request = { to, nix, paths, from, again, onProgress: update };
      report.caches.push(await pushByHand(request, running).finally(end));
    }
    return report;
  } finally {
    keepAlive.close();
    home.remove();
  }
}
