import { commonOptions, described, type Expected, keyOptions, type Option } from '../described.ts';

/** A function for a directory of zsh's fpath, where it is `_nix-cache-init`. */
export function zshCompletion(): string {
  return `#compdef nix-cache-init
# zsh completion of nix-cache-init, as \`nix-cache-init completions zsh\` prints it.

_nix-cache-init() {
  local -a names flags
  names=(
${described.map(({ name, summary }) => `    ${quote(`${name}:${colons(summary)}`)}`).join('\n')}
  )
  flags=(
${[...commonOptions, ...keyOptions].map(spec).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe -t commands command names
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${described.map(commandCase).join('\n')}
  esac
}

# Sourced, or found in fpath and called for the first time.
if [[ $funcstack[1] == _nix-cache-init ]]; then
  _nix-cache-init "$@"
else
  compdef _nix-cache-init nix-cache-init
fi
`;
}

function commandCase({ name, options, operands }: (typeof described)[number]): string {
  const more = [...options.map(spec), ...(operands === undefined ? [] : operandSpecs(operands))];
  const lines = ['_arguments -S $flags', ...more.map((line) => line.trimStart())];
  return `    ${name})\n      ${lines.join(' \\\n        ')}\n      ;;`;
}

function operandSpecs(operands: Expected): string[] {
  if (operands === 'command') return ["'(-)1:command:_command_names -e'", "'*::arguments:_normal'"];
  if (operands === 'text') return [];
  return [
    typeof operands === 'string' ? `'*:${operands}:${action(operands)}'` : `'1:word:${action(operands)}'`,
  ];
}

function spec({ flag, help, value }: Option): string {
  const text = `[${colons(help).replace(/[[\]]/g, '\\$&')}]`;
  return `    ${quote(value === undefined ? `${flag}${text}` : `${flag}=${text}:value:${action(value)}`)}`;
}

function action(expected: Expected): string {
  if (typeof expected !== 'string') return `(${expected.join(' ')})`;
  return { file: '_files', directory: '_directories', command: '_command_names -e', text: ' ' }[expected];
}

const colons = (text: string): string => text.replace(/[\\:]/g, '\\$&');

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
