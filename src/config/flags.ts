import { parseArgs } from 'node:util';
import { usageError } from '../errors.ts';
import { brief } from './brief.ts';
import { flagName, type KeyName, keyNames } from './keys.ts';
import { nearest } from './nearest.ts';

/** What a command line says: flags up to the first word that is none, or up to `--`; the rest is left as it is. */
export type CommandLine = {
  flags: Map<KeyName, string>;
  file?: string;
  /** Switches such as --help and --json. */
  switches: Set<string>;
  /** What a command's own options say. */
  values: Map<string, string>;
  rest: string[];
};

/** The shortest answer to a wrong command line. */
export const synopsis = `Usage: nix-cache-init COMMAND [options]
       /init [options] [--] [COMMAND [ARG…]]      same as nix-cache-init run
`;

const byFlag: ReadonlyMap<string, KeyName> = new Map(keyNames.map((name) => [flagName(name), name]));

/** The names of what a command has besides the configuration keys: switches besides --help and --version, options with a value. */
export type Own = { switches?: readonly string[]; values?: readonly string[] };

/**
 * @throws {InitError} 64 for an unknown flag or one without its value.
 */
export function parseCommandLine(args: readonly string[], own: Own = {}): CommandLine {
  // The usual ENTRYPOINT has no options, and Node loads its parser at the first use.
  if (args[0]?.startsWith('-') !== true) return { ...emptyLine(), rest: [...args] };
  const known = ['help', 'version', ...(own.switches ?? [])];
  const values = ['config', ...(own.values ?? []), ...byFlag.keys()];
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      ...Object.fromEntries(known.map((name) => [name, { type: 'boolean' as const }])),
      ...Object.fromEntries(values.map((name) => [name, { type: 'string' as const }])),
      help: { type: 'boolean', short: 'h' },
    },
  });
  const line = emptyLine();
  for (const token of tokens) {
    if (token.kind === 'positional') return { ...line, rest: args.slice(token.index) };
    if (token.kind === 'option-terminator') return { ...line, rest: args.slice(token.index + 1) };
    const { name, rawName, value } = token;
    if (known.includes(name)) {
      if (value !== undefined) throw usageError(`${rawName} takes no value`, `say ${rawName}`);
      line.switches.add(name);
      continue;
    }
    const key = byFlag.get(name);
    if (!values.includes(name)) {
      throw usageError(
        `unknown flag ${brief(rawName)}`,
        `did you mean --${nearest(brief(name), [...known, ...values])}? see --help`,
      );
    }
    if (value === undefined) throw usageError(`${rawName} needs a value`, `say ${rawName}=VALUE`);
    if (own.values?.includes(name)) line.values.set(name, value);
    else if (key === undefined) line.file = value;
    else line.flags.set(key, value);
  }
  return line;
}

const emptyLine = (): CommandLine => ({ flags: new Map(), switches: new Set(), values: new Map(), rest: [] });
