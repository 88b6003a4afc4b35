import { type CommandLine, parseCommandLine } from '../config/flags.ts';
import { flagName } from '../config/keys.ts';
import { loadConfig } from '../config/load.ts';
import { toInitError, usageError } from '../errors.ts';
import { serviceSchema } from '../hook/schema.ts';
import { generateService } from '../hook/service/generate.ts';
import {
  installService,
  managerHere,
  type ServiceReport,
  uninstallService,
} from '../hook/service/install.ts';
import { printOut } from '../log.ts';
import { printJson, printSchema } from './json.ts';
import { usages } from './usage.ts';

const actions = ['install', 'uninstall', 'print'] as const;
type Action = (typeof actions)[number];
const isAction = (word: string | undefined): word is Action => actions.some((action) => action === word);

/** Writes, removes or prints what has the machine's own init call `mount` at boot. */
export async function runService(line: CommandLine): Promise<number> {
  const { action, flags, file, switches } = withAction(line);
  if (switches.has('schema')) return printSchema('service', serviceSchema);
  if (action === undefined)
    throw usageError('service: what is to be done?', `say one of ${actions.join(', ')}`);
  const manager = switches.has('sysv') ? 'sysv' : managerHere();
  const { config } = await loadConfig({ flags, file, env: process.env });
  const options = [
    ...(file === undefined ? [] : [`--config=${file}`]),
    ...[...flags].map(([key, value]) => `--${flagName(key)}=${value}`),
  ];
  try {
    const text = await generateService({ manager, cacheDir: config.cacheDir, options });
    if (action === 'print') return print(text.trimEnd());
    const report = action === 'install' ? installService(manager, text) : uninstallService(manager);
    if (!switches.has('json')) return print(formatReport(report, action));
    printJson(report);
    return 0;
  } catch (error) {
    throw toInitError(error, 'service', `cannot ${action} the boot service`);
  }
}

/** What follows the action are options, too. */
function withAction(line: CommandLine): CommandLine & { action: Action | undefined } {
  const [action, ...rest] = line.rest;
  if (action === undefined) return { ...line, action };
  if (!isAction(action))
    throw usageError(`service: unknown action ${action}`, `say one of ${actions.join(', ')}`);
  const more = parseCommandLine(rest, { switches: Object.keys(usages.service.switches ?? {}) });
  const [extra] = more.rest;
  if (extra !== undefined)
    throw usageError(`unexpected argument ${extra}`, 'see nix-cache-init service --help');
  return {
    ...line,
    ...(more.file === undefined ? {} : { file: more.file }),
    flags: new Map([...line.flags, ...more.flags]),
    switches: new Set([...line.switches, ...more.switches]),
    action,
  };
}

const done: Readonly<Record<Action, string>> = { install: 'wrote', uninstall: 'removed', print: 'printed' };

function formatReport({ changed, next }: ServiceReport, action: Action): string {
  if (changed.length === 0) return 'nothing to do';
  return [...changed.map((path) => `${done[action]} ${path}`), ...next.map((words) => `next: ${words}`)].join(
    '\n',
  );
}

function print(text: string): number {
  printOut(`${text}\n`);
  return 0;
}
