import packageJson from '../package.json' with { type: 'json' };
import { commonOptions, type Described, described, type Option } from '../src/commands/described.ts';
import { envName, flagName, keyNames, keys } from '../src/config/keys.ts';
import { defaultConfigFile } from '../src/config/load.ts';
import { Exit } from '../src/errors.ts';

const exitMeanings: Readonly<Record<keyof typeof Exit, string>> = {
  usage: 'wrong usage',
  bug: 'a bug of nix-cache-init',
  io: 'input/output error: a full or read-only volume',
  locked: 'the volume is in use by another container',
  privilege: 'a privilege is missing',
  config: 'bad configuration or set-up',
  notExecutable: 'the command was found but cannot be executed',
  notFound: 'the command was not found',
};

/** nix-cache-init(1) in roff (man(7)), made of what `--help` is made of. */
export function manPage(): string {
  return [
    `.TH NIX\\-CACHE\\-INIT 1 "" ${quoted(`nix-cache-init ${packageJson.version}`)} "User Commands"`,
    '.SH NAME',
    `nix\\-cache\\-init \\- ${text('PID 1 for Nix containers: keeps the Nix store on a persistent volume')}`,
    '.SH SYNOPSIS',
    ...synopsis(),
    '.SH DESCRIPTION',
    text(description),
    '.SH COMMANDS',
    ...described.flatMap(command),
    '.SH OPTIONS',
    text('Every command has these.'),
    ...commonOptions.flatMap(option),
    '.SS Configuration keys',
    text(
      `Each is an option of every command, a variable of the environment, and a key of ${defaultConfigFile}. Later wins: the default, the file, the environment, the command line.`,
    ),
    ...keyNames.flatMap(key),
    '.SH EXIT STATUS',
    text(
      'That of COMMAND; 128+n if signal n ended it. Before COMMAND starts, with one line on standard error:',
    ),
    ...Object.entries(exitMeanings).flatMap(([name, meaning]) =>
      paragraph(`.B ${Exit[name as keyof typeof Exit]}`, meaning),
    ),
    '.SH FILES',
    ...paragraph(
      bold(defaultConfigFile),
      'the configuration: a JSON object; see nix-cache-init config --schema',
    ),
    ...paragraph(bold(keys.cacheDir.initial), 'the volume'),
    ...paragraph(
      bold('/run/nix-cache-init'),
      'what belongs to one boot: the store of the image, and what was done',
    ),
    '.SH SEE ALSO',
    '.BR nix (1),',
    '.BR nix\\-daemon (8),',
    '.BR nix.conf (5)',
    '',
  ].join('\n');
}

const description =
  'As PID 1 of a container it lays a persistent volume under /nix/store, keeps the records of Nix in step with it, starts nix-daemon and COMMAND, and stops them in order. Restart the container and what was fetched and built yesterday is there at once.';

const synopsis = (): string[] => [
  `.B nix\\-cache\\-init`,
  '.I command',
  text('[options]'),
  '.br',
  '.B /init',
  text('[options] [--] [COMMAND [ARG…]]'),
];

const command = ({ usage, summary, options }: Described): string[] => [
  ...paragraph(bold(usage), summary),
  ...(options.length === 0 ? [] : ['.RS', ...options.flatMap(option), '.RE']),
];

const option = ({ flag, help, value }: Option): string[] => paragraph(tag(flag, value !== undefined), help);

function key(name: (typeof keyNames)[number]): string[] {
  const { initial, help, allowed } = keys[name];
  const shown = typeof initial === 'string' ? initial : (JSON.stringify(initial) ?? 'none');
  return [
    ...paragraph(tag(`--${flagName(name)}`, true), `${help}: ${allowed} [${shown}]`),
    '.br',
    text(`In the environment ${envName(name)}, in the file ${name}.`),
  ];
}

const tag = (flag: string, takesValue: boolean): string =>
  takesValue ? `.BI ${quoted(`${flag} `)} VALUE` : bold(flag);

const paragraph = (head: string, body: string): string[] => ['.TP', head, text(body)];

const bold = (words: string): string => `.B ${quoted(words)}`;

const quoted = (words: string): string => `"${text(words).replaceAll('"', '\\(dq')}"`;

/** One line of text as roff has it; plain ASCII, whatever reads it. */
function text(words: string): string {
  const escaped = words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(
      /[^\0-\x7f]/gu,
      (letter) => `\\[u${letter.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return escaped.replace(/^[.']/, '\\&$&');
}
