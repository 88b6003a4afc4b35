export type Copy = {
  /** The program. */
  nix: string;
  /** Store URIs; without `from` it is the store that Nix would take by itself. */
  from?: string | undefined;
  to: string;
  /** Settings of Nix's for this copy, over those of nix.conf. */
  settings?: Readonly<Record<string, string>>;
  /** Switches of `nix`. */
  switches?: readonly string[];
};

/** The command that copies paths, with all that they refer to and what is not there yet, from one store to another. */
export function copyCommand(
  { nix, from, to, settings = {}, switches = [] }: Copy,
  paths: readonly string[],
): [string, ...string[]] {
  return [
    nix,
    ...['--extra-experimental-features', 'nix-command', ...switches],
    ...Object.entries(settings).flatMap(([name, value]) => ['--option', name, value]),
    'copy',
    ...(from === undefined ? [] : ['--from', from]),
    ...['--to', to],
    ...paths,
  ];
}
