/** What `--help` says of each command. */
export const usages = {
  run: {
    usage: 'run [options] [--] [COMMAND [ARG…]]',
    summary: 'boot and supervise COMMAND; what /init does',
  },
  plan: { usage: 'plan [options] [--json]', summary: 'print what run would do here; changes nothing' },
  check: {
    usage: 'check [options] [--contents] [--repair] [--json]',
    summary: 'whether database and store agree; with --repair make them',
  },
  config: {
    usage: 'config [options] [--json | --schema]',
    summary: 'the effective configuration and where each value came from',
  },
} as const;

export type CommandName = keyof typeof usages;
