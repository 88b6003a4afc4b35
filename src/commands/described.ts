import * as z from 'zod/mini';
import { flagName, keyNames, keys } from '../config/keys.ts';
import { defaultConfigFile } from '../config/load.ts';
import { schemas } from '../config/schemas.ts';
import { type CommandName, usages } from './usage.ts';

/** What may follow: one of these words, a name of the file system, a command with its arguments, or anything. */
export type Expected = readonly string[] | 'file' | 'directory' | 'command' | 'text';

/** An option as completions and the man page have it. */
export type Option = {
  /** With its hyphens. */
  flag: string;
  help: string;
  /** Undefined for a switch. */
  value?: Expected;
};

/** A command as completions and the man page have it. */
export type Described = {
  name: CommandName;
  usage: string;
  summary: string;
  /** Those of its own; the ones of every command are `commonOptions`. */
  options: readonly Option[];
  /** What may follow the options; undefined if nothing. */
  operands: Expected | undefined;
};

/** What the words that usages have for a value mean. */
const placeholders: Readonly<Record<string, Expected>> = {
  COMMAND: 'command',
  PATH: 'file',
  FILE: 'file',
  DIR: 'directory',
  DIRECTORY: 'directory',
};

/** Every command, in the order of `--help`. */
export const described: readonly Described[] = (Object.keys(usages) as CommandName[]).map((name) => {
  const { usage, summary, values = {}, switches = {} } = usages[name];
  return {
    name,
    usage,
    summary,
    options: [
      ...Object.entries(values).map(
        ([own, help]): Option => ({ flag: `--${own}`, help, value: expectedBy(usage, own) }),
      ),
      ...Object.entries(switches).map(([own, help]): Option => ({ flag: `--${own}`, help })),
    ],
    operands: operandsOf(usage),
  };
});

/** What every command understands besides the configuration keys. */
export const commonOptions: readonly Option[] = [
  { flag: '--help', help: 'say how it is used' },
  { flag: '--version', help: 'say which version it is' },
  { flag: '--config', help: `configuration file [${defaultConfigFile}]`, value: 'file' },
];

/** The configuration keys as options: every command understands them, too. */
export const keyOptions: readonly Option[] = keyNames.map((name) => ({
  flag: `--${flagName(name)}`,
  help: keys[name].help,
  value: expectedOf(z.toJSONSchema(schemas[name])),
}));

type Leaf = z.core.JSONSchema.BaseSchema;

/** The words that a value can be, from what validates it. */
function expectedOf({ enum: words, const: word, anyOf, type, pattern }: Leaf): Expected {
  if (words) return words.map(String);
  if (word !== undefined) return [String(word)];
  if (type === 'boolean') return ['true', 'false'];
  if (pattern?.startsWith('^\\/')) return 'directory';
  const alternatives = (anyOf ?? []).map((one) => (typeof one === 'boolean' ? 'text' : expectedOf(one)));
  const found = alternatives.flatMap((one) => (typeof one === 'string' ? [] : one));
  return found.length > 0 ? found : 'text';
}

/** What an option of its own takes, as in `export --to DIR`. */
function expectedBy(usage: string, name: string): Expected {
  const [, word = ''] = new RegExp(`--${name} ([A-Z]+)`).exec(usage) ?? [];
  return placeholders[word] ?? 'text';
}

/** What a usage has after the options, as in `run [options] [--] [COMMAND [ARG…]]` or `service install|print`. */
function operandsOf(usage: string): Expected | undefined {
  const [, choice] = / \[?([a-z]+(?:\|[a-z]+)+)\]?/.exec(usage) ?? [];
  if (choice !== undefined) return choice.split('|');
  const [word] = /[A-Z]+/.exec(usage.replace(/--[a-z-]+ [A-Z]+/g, '')) ?? [];
  return word === undefined ? undefined : (placeholders[word] ?? 'text');
}
