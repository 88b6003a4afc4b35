import { helpText, versionText } from './commands/help.ts';
import { commands } from './commands/index.ts';
import { type CommandName, usages } from './commands/usage.ts';
import { brief } from './config/brief.ts';
import { parseCommandLine } from './config/flags.ts';
import { nearest } from './config/nearest.ts';
import { usageError } from './errors.ts';
import { init, reportFatal } from './init.ts';
import { beforeNode } from './linux/before-node.ts';
import { setMainThreadMask } from './linux/signals.ts';
import { printOut } from './log.ts';

const isCommand = (name: string): name is CommandName => Object.hasOwn(usages, name);

/**
 * `nix-cache-init COMMAND …`.
 * @param loading as `init` has it.
 * @returns the exit code; never throws.
 */
export async function cli(args: readonly string[], loading: number): Promise<number> {
  try {
    return await dispatch(args, loading);
  } catch (error) {
    return reportFatal(error);
  }
}

async function dispatch([name, ...rest]: readonly string[], loading: number): Promise<number> {
  if (name === undefined) throw usageError('no command', 'see nix-cache-init --help');
  if (name === '--help' || name === '-h') return show(helpText());
  if (name === '--version') return show(versionText);
  if (!isCommand(name)) {
    throw usageError(
      `unknown command ${brief(name)}`,
      `did you mean ${nearest(brief(name), Object.keys(usages))}? see --help`,
    );
  }
  if (name === 'run') return init(rest, loading);
  const { switches = {}, values = {}, operands } = usages[name];
  const own = { switches: Object.keys(switches), values: Object.keys(values) };
  const line = parseCommandLine(rest, own);
  if (line.switches.has('help')) return show(helpText(name));
  if (line.switches.has('version')) return show(versionText);
  const [extra] = line.rest;
  if (extra !== undefined && !operands)
    throw usageError(`unexpected argument ${brief(extra)}`, `see nix-cache-init ${name} --help`);
  // Only `run` has handlers for what was blocked until now.
  setMainThreadMask(beforeNode.blocked);
  return commands[name](line);
}

function show(text: string): number {
  printOut(text);
  return 0;
}
