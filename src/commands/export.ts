import { basename, resolve } from 'node:path';
import type { CommandLine } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { hasErrno, InitError, isDiskFull, toInitError, usageError } from '../errors.ts';
import { createLog, printOut } from '../log.ts';
import { type Exported, exportClosure } from '../state/export/export.ts';
import { showProgress } from '../store/progress.ts';
import { prefixPlaces, storeEnvironment } from '../volume/prefix-layout.ts';
import { interruptible } from './interruptible.ts';
import { printJson, printSchema } from './json.ts';
import { exportSchema } from './schemas/export.ts';

/** Lays the closure of store paths out under a directory. */
export async function runExport(line: CommandLine): Promise<number> {
  if (line.switches.has('schema')) return printSchema('export', exportSchema);
  const to = line.values.get('to');
  const misplaced = line.rest.find((word) => word.startsWith('-'));
  if (to === undefined || to === '') throw usageError('export needs a directory', 'say --to DIR');
  if (misplaced !== undefined)
    throw usageError(`${misplaced} comes after a path`, 'say options first: export --to DIR PATH…');
  if (line.rest.length === 0) throw usageError('export needs a path', 'say which: export --to DIR PATH…');
  const directory = resolve(to);
  return interruptible(async (signal) => {
    try {
      return await run(line, directory, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, directory);
    }
  });
}

async function run({ flags, file, switches, rest }: CommandLine, to: string, signal: AbortSignal) {
  const { config } = await loadConfig({ flags, file, env: process.env });
  const log = createLog(config);
  const bars = {
    copying: showProgress('exporting', log),
    verifying: showProgress('verifying the export', log),
  };
  const done = await exportClosure({
    to,
    storeDir: config.storeDir,
    realStoreDir: config.strategy === 'prefix' ? prefixPlaces(config).realStoreDir : config.storeDir,
    paths: rest,
    env: storeEnvironment(config, process.env),
    signal,
    onProgress: (what, part, whole) => bars[what].update(part, whole),
  }).finally(() => {
    for (const bar of Object.values(bars)) bar.end();
  });
  if (switches.has('json')) printJson(done);
  else printOut(describe(done));
  return 0;
}

const describe = ({ to, paths, bytes }: Exported): string =>
  [
    ...paths.map((path) => `${to}${path}`),
    `exported ${paths.length} ${paths.length === 1 ? 'path' : 'paths'}, ${bytes} bytes, each compared with its hash`,
    '',
  ].join('\n');

function explain(error: unknown, to: string): InitError {
  const known = toInitError(error, 'export', `cannot export to ${to}`);
  const remedy = isDiskFull(error)
    ? `make room where ${basename(to)} is, or say --to another directory`
    : hasErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR')
      ? 'say --to a directory that this user can write to'
      : hasErrno(error, 'ENOENT')
        ? 'make the directory above it; or, if a path was collected meanwhile, run it again'
        : undefined;
  return remedy === undefined ? known : new InitError({ ...known, remedy, cause: error });
}
