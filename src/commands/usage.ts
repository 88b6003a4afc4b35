type Usage = {
  /** What follows the program's name. */
  usage: string;
  summary: string;
  /** The switches that this command has, besides --help and --version. */
  switches?: Readonly<Record<string, string>>;
  /** Its options with a value, which the help begins with. */
  values?: Readonly<Record<string, string>>;
  /** Whether something may follow the options. */
  operands?: true;
};

const json = 'the same as JSON';
const schema = 'the JSON Schema of --json instead';

const all = {
  run: {
    usage: 'run [options] [--] [COMMAND [ARG…]]',
    summary: 'boot and supervise COMMAND; what /init does',
    operands: true,
  },
  plan: {
    usage: 'plan [options]',
    summary: 'print what run would do here; changes nothing',
    switches: { json, schema },
  },
  doctor: {
    usage: 'doctor [options]',
    summary: 'whether it can work here; what is missing, and what to type',
    switches: { json, schema },
    // Its own, to itself.
    operands: true,
  },
  status: {
    usage: 'status [options]',
    summary: 'what the running init does, and how full the volume is',
    switches: { json, watch: 'again every two seconds', schema },
  },
  metrics: {
    usage: 'metrics',
    summary: 'the numbers of status, as OpenMetrics text',
  },
  wait: {
    usage: 'wait [options]',
    summary: 'return when the store is there and nix-daemon answers',
    values: { timeout: 'how long at most, in seconds or as 2m [60s]' },
    switches: { json, schema },
  },
  logs: {
    usage: 'logs [options]',
    summary: 'what init and nix-daemon said lately',
    values: { last: 'how many lines at most [100]' },
    switches: { follow: 'and what they say from now on', json, schema },
  },
  restart: {
    usage: 'restart [options] SERVICE',
    summary: 'end a service and start it again, such as nix-daemon',
    switches: { json, schema },
    operands: true,
  },
  stop: {
    usage: 'stop',
    summary: 'have init end everything, as docker stop does',
  },
  check: {
    usage: 'check [options]',
    summary: 'whether database and store agree; with --repair make them',
    switches: {
      contents: 'compare what is in the paths with their hashes, too',
      repair: 'put right what can be, from the caches that Nix has',
      json,
      schema,
    },
  },
  export: {
    usage: 'export --to DIR [options] PATH…',
    summary: 'lay a closure out as a root file system, as for FROM scratch',
    values: { to: 'where to: a directory that is empty or not there' },
    switches: { json, schema },
    operands: true,
  },
  push: {
    usage: 'push [--to URI] [options] [PATH…]',
    summary: 'copy what is new, or these paths, to a binary cache',
    values: { to: 'a store URI of Nix; without it, those of push.to' },
    switches: {
      again: 'also what was pushed there before',
      json,
      schema,
    },
    operands: true,
  },
  gc: {
    usage: 'gc [options]',
    summary: 'delete cached paths that nothing needs, least recently used first',
    values: {
      'max-size': 'stop once the cache is under this size, such as 20G',
      'older-than': 'only what was last used longer ago, such as 30d',
    },
    switches: {
      'dry-run': 'say what would be deleted; delete nothing',
      background: 'at the lowest priority',
      json,
      schema,
    },
  },
  config: {
    usage: 'config [options]',
    summary: 'the effective configuration and where each value came from',
    switches: { schema: 'the JSON Schema of its files; with --json, of that', json },
  },
  analyze: {
    usage: 'analyze [--svg FILE] [options]',
    summary: "where the boot's time went",
    values: { svg: 'draw it into a file; - is standard output' },
    switches: { json, schema },
  },
  mount: {
    usage: 'mount [options]',
    summary: 'boot hook: mount the volume under the store, and end',
  },
  unmount: {
    usage: 'unmount [--lazy] [options]',
    summary: 'undo mount; refuses while in use, naming who uses it',
    switches: {
      lazy: 'detach what is in use: it ends with those who use it',
      json,
      schema: 'the JSON Schema of --json instead',
    },
  },
  service: {
    usage: 'service install|uninstall|print [--sysv] [options]',
    summary: 'the boot service of a machine that calls mount and unmount',
    switches: {
      sysv: 'a script for System V init, where systemd has units, too',
      json: 'what was done as JSON',
      schema: 'the JSON Schema of --json instead',
    },
    operands: true,
  },
  remount: {
    usage: 'remount DIRECTORY',
    summary: "remount a store's overlay in place; a hook of Nix's",
    operands: true,
  },
  completions: {
    usage: 'completions bash|zsh|fish',
    summary: 'what has that shell complete our commands and options',
    operands: true,
  },
} as const satisfies Record<string, Usage>;

export type CommandName = keyof typeof all;

/** What `--help` says of each command. */
export const usages: Readonly<Record<CommandName, Usage>> = all;
