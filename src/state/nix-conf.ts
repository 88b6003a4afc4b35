/**
 * The nix.conf that every Nix process in the container reads: in a file, because the shells of `docker exec` inherit
 * nothing from PID 1 (nix.conf(5): of a setting named twice the later line counts).
 * @param settings come first: what the user's own file says wins.
 * @param own the user's nix.conf as it is, relative includes and all: the generated file appears in the same place.
 */
export function generateNixConf(settings: Readonly<Record<string, string>>, own: string): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `# Made by nix-cache-init at boot. Its defaults, then the nix.conf of the image.\n${lines.join('\n')}\n${own}`;
}
