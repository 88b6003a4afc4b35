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

const all = {
  run: {
    usage: 'run [options] [--] [COMMAND [ARG…]]',
    summary: 'boot and supervise COMMAND; what /init does',
    operands: true,
  },
  plan: {
    usage: 'plan [options]',
    summary: 'print what run would do here; changes nothing',
    switches: { json },
  },
  doctor: {
    usage: 'doctor [options]',
    summary: 'whether it can work here; what is missing, and what to type',
    switches: { json, schema: 'the JSON Schema of --json instead' },
    // Its own, to itself.
    operands: true,
  },
  check: {
    usage: 'check [options]',
    summary: 'whether database and store agree; with --repair make them',
    switches: {
      contents: 'compare what is in the paths with their hashes, too',
      repair: 'put right what can be, from the caches that Nix has',
      json,
    },
  },
  export: {
    usage: 'export --to DIR [options] PATH…',
    summary: 'lay a closure out as a root file system, as for FROM scratch',
    values: { to: 'where to: a directory that is empty or not there' },
    switches: { json },
    operands: true,
  },
  config: {
    usage: 'config [options]',
    summary: 'the effective configuration and where each value came from',
    switches: { schema: 'the JSON Schema of configuration files instead', json },
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
} as const satisfies Record<string, Usage>;

export type CommandName = keyof typeof all;

/** What `--help` says of each command. */
export const usages: Readonly<Record<CommandName, Usage>> = all;
