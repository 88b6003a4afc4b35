import {
  commonOptions,
  type Described,
  described,
  type Expected,
  keyOptions,
  type Option,
} from '../described.ts';

const options = [...commonOptions, ...keyOptions];

/** What bash-completion loads; works without it, too. */
export function bashCompletion(): string {
  return `# bash completion of nix-cache-init, as \`nix-cache-init completions bash\` prints it.

# What may follow an option: how to find it. Fails for one without a value.
_nix_cache_init_value() {
  case "$1 $2" in
${options.flatMap((option) => valueCase(`* ${option.flag}`, option)).join('\n')}
${described.flatMap(({ name, options }) => options.flatMap((option) => valueCase(`'${name} ${option.flag}'`, option))).join('\n')}
    *) return 1 ;;
  esac
}

_nix_cache_init_options() {
  echo '${options.map(({ flag }) => flag).join(' ')}'
  case $1 in
${described.flatMap(ownOptions).join('\n')}
  esac
}

_nix_cache_init_operands() {
  case $1 in
${described.flatMap(operandCase).join('\n')}
  esac
}

_nix_cache_init() {
  local current=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} option='' prefix='' rest=0 index
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${described.map(({ name }) => name).join(' ')} --help --version' -- "$current"))
    return
  fi
  # Where readline splits words at =, that is one.
  for ((index = 2; index < COMP_CWORD; index++)); do
    case \${COMP_WORDS[index]} in
      =) ;;
      --) rest=$((index + 1)) ;;
      *)
        if [[ -n $option ]]; then
          option=''
        elif [[ \${COMP_WORDS[index]} == -* ]]; then
          _nix_cache_init_value "$command" "\${COMP_WORDS[index]}" >/dev/null && option=\${COMP_WORDS[index]}
        else
          rest=$index
        fi
        ;;
    esac
    ((rest == 0)) || break
  done
  if ((rest > 0)); then
    _nix_cache_init_reply "$(_nix_cache_init_operands "$command")" "$current" "$rest"
  elif [[ -n $option ]]; then
    _nix_cache_init_reply "$(_nix_cache_init_value "$command" "$option")" "\${current#=}"
  elif [[ $current == --*=* ]]; then
    prefix=\${current%%=*}
    _nix_cache_init_reply "$(_nix_cache_init_value "$command" "$prefix")" "\${current#*=}"
    COMPREPLY=("\${COMPREPLY[@]/#/$prefix=}")
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$(_nix_cache_init_options "$command")" -- "$current"))
  else
    _nix_cache_init_reply "$(_nix_cache_init_operands "$command")" "$current" "$COMP_CWORD"
  fi
}

# What there is of a kind that begins so; of a command from its word on.
_nix_cache_init_reply() {
  local from=\${3:-$COMP_CWORD}
  case $1 in
    file | directory)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -"\${1:0:1}" -- "$2")
      ;;
    command)
      if declare -F _command_offset >/dev/null; then
        _command_offset "$from"
      elif ((COMP_CWORD == from)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$2")
      else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$2")
      fi
      ;;
    text | '') ;;
    *) COMPREPLY=($(compgen -W "$1" -- "$2")) ;;
  esac
}

complete -F _nix_cache_init nix-cache-init
`;
}

const words = (expected: Expected): string => (typeof expected === 'string' ? expected : expected.join(' '));

const valueCase = (pattern: string, { value }: Option): string[] =>
  value === undefined ? [] : [`    ${pattern.replace(/^\* /, '*\\ ')}) echo '${words(value)}' ;;`];

const ownOptions = ({ name, options }: Described): string[] =>
  options.length === 0 ? [] : [`    ${name}) echo '${options.map(({ flag }) => flag).join(' ')}' ;;`];

const operandCase = ({ name, operands }: Described): string[] =>
  operands === undefined ? [] : [`    ${name}) echo '${words(operands)}' ;;`];
