import { commonOptions, described, type Expected, keyOptions, type Option } from '../described.ts';

const everywhere = [...commonOptions, ...keyOptions];

/** A file for a directory of fish_complete_path. */
export function fishCompletion(): string {
  const withValue = [...everywhere, ...described.flatMap(({ options }) => options)].filter(
    ({ value }) => value,
  );
  const flags = [...new Set(withValue.map(({ flag }) => flag))].join(' ');
  const names = described.map(({ name }) => name).join(' ');
  return `# fish completion of nix-cache-init, as \`nix-cache-init completions fish\` prints it.

# How many words of the line belong to a command's options; fails where the command is none of these.
function __nix_cache_init_options
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv; or return 1
    set -l taken 2
    set -l value 0
    for word in $words[3..]
        if test $value = 0
            switch $word
                case --
                    echo (math $taken + 1)
                    return
                case ${flags}
                    set value 1
                case '-*'
                case '*'
                    break
            end
        else
            set value 0
        end
        set taken (math $taken + 1)
    end
    echo $taken
end

# Whether an option of one of these commands can be next.
function __nix_cache_init_option
    set -l taken (__nix_cache_init_options $argv); or return 1
    set -l words (commandline -opc)
    test (count $words) = $taken; and test "$words[-1]" != --
end

# Whether what follows the options of one of these commands is next.
function __nix_cache_init_operand
    __nix_cache_init_options $argv >/dev/null; or return 1
    not __nix_cache_init_option $argv; or not string match -q -- '-*' (commandline -ct)
end

# What can follow in the command line that begins after our own.
function __nix_cache_init_command
    set -l words (commandline -opc)
    set -l from (math (__nix_cache_init_options run) + 1)
    complete -C "$(string escape -- $words[$from..] | string join ' ') $(commandline -ct)"
end

complete -c nix-cache-init -f
complete -c nix-cache-init -n '__fish_is_nth_token 1' -l help -d 'say how it is used'
complete -c nix-cache-init -n '__fish_is_nth_token 1' -l version -d 'say which version it is'
${described.map(({ name, summary }) => `complete -c nix-cache-init -n '__fish_is_nth_token 1' -a ${name} -d ${quote(summary)}`).join('\n')}
${everywhere.map((option) => line(names, option)).join('\n')}
${described.flatMap(({ name, options }) => options.map((option) => line(name, option))).join('\n')}
${described.flatMap(({ name, operands }) => (operands === undefined ? [] : operandLine(name, operands))).join('\n')}
`;
}

const line = (commands: string, { flag, help, value }: Option): string =>
  `complete -c nix-cache-init -n '__nix_cache_init_option ${commands}' -l ${flag.slice(2)} ${value === undefined ? '' : `${argument(value)} `}-d ${quote(help)}`;

function argument(expected: Expected): string {
  if (typeof expected !== 'string') return `-x -a '${expected.join(' ')}'`;
  return { file: '-r -F', directory: "-x -a '(__fish_complete_directories)'", command: '-x', text: '-x' }[
    expected
  ];
}

function operandLine(name: string, operands: Expected): string[] {
  if (operands === 'text') return [];
  const at = `-n '__nix_cache_init_operand ${name}'`;
  if (operands === 'command') return [`complete -c nix-cache-init ${at} -x -a '(__nix_cache_init_command)'`];
  return [`complete -c nix-cache-init ${at} ${operands === 'file' ? '-F' : argument(operands)}`];
}

const quote = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
