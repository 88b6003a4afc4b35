import type { CommandLine } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { toInitError } from '../errors.ts';
import { unmountSchema } from '../hook/schema.ts';
import { inUse, type UnmountReport, unmountHere } from '../hook/unmount.ts';
import { createLog, logWritten, printOut } from '../log.ts';
import { interruptible } from './interruptible.ts';
import { printJson, printSchema } from './json.ts';

/** Undoes what `mount` did; refuses, naming them, while processes use it. */
export async function runUnmount({ flags, file, switches }: CommandLine): Promise<number> {
  if (switches.has('schema')) return printSchema('unmount', unmountSchema);
  return interruptible(async (signal) => {
    const { config } = await loadConfig({ flags, file, env: process.env });
    // A shell's place is its own affair; ours would keep the mount busy.
    process.chdir('/');
    const log = createLog(config);
    try {
      const report = await unmountHere({ config, lazy: switches.has('lazy'), log, signal });
      if (switches.has('json')) printJson(report);
      else if (report.users.length > 0) printOut(formatUsers(report));
      if (report.users.length > 0) throw inUse(report.users, config.storeDir);
      return 0;
    } catch (error) {
      signal.throwIfAborted();
      throw toInitError(error, 'mount', `cannot unmount ${config.storeDir}`);
    } finally {
      await logWritten();
    }
  });
}

function formatUsers({ users }: UnmountReport): string {
  const rows = users.map(
    ({ pid, name, path }) => `${String(pid ?? '-').padStart(7)}  ${name.padEnd(15)}  ${path}`,
  );
  return `${'PID'.padStart(7)}  ${'NAME'.padEnd(15)}  USES\n${rows.join('\n')}\n`;
}
