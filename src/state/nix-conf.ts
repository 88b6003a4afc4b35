/**
 * The nix.conf that every Nix process in the container reads: in a file, because the shells of `docker exec` inherit
 * nothing from PID 1 (nix.conf(5): of a setting named twice the later line counts).
 * @param settings come first: what the user's own file says wins.
 * @param own the user's nix.conf as it is, relative includes and all: the generated file appears in the same place.
 */
export function generateNixConf(settings: Readonly<Record<string, string>>, own: string): string {
  return `# Made by nix-cache-init at boot. Its defaults, then the nix.conf of the image.\n${lines(settings)}\n${own}`;
}

const lines = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join('\n');

const begin = '# Made by nix-cache-init at boot: its defaults. What is said after them wins.';
const end = '# So far nix-cache-init.';

/** A nix.conf with our defaults before its own lines, in the place of what an earlier boot put there. */
export const markNixConf = (settings: Readonly<Record<string, string>>, text: string): string =>
  `${begin}\n${lines(settings)}\n${end}\n${unmarkNixConf(text)}`;

/** The same without ours. */
export function unmarkNixConf(text: string): string {
  const from = text.indexOf(`${begin}\n`);
  const to = text.indexOf(`\n${end}\n`, from);
  return from < 0 || to < 0 ? text : text.slice(0, from) + text.slice(to + end.length + 2);
}

/** Which files Nix reads as the user's nix.conf, the first of which counts most (getUserConfigFiles in src/libstore/globals.cc). */
export function userConfFiles(env: NodeJS.ProcessEnv): string[] {
  const said = env['NIX_USER_CONF_FILES'];
  if (said !== undefined) return said.split(':').filter((file) => file !== '');
  const home = env['NIX_CONFIG_HOME'] || `${env['XDG_CONFIG_HOME'] || `${env['HOME'] ?? ''}/.config`}/nix`;
  const dirs = (env['XDG_CONFIG_DIRS'] ?? '/etc/xdg').split(':').filter((dir) => dir !== '');
  return [home, ...dirs.map((dir) => `${dir}/nix`)].map((dir) => `${dir}/nix.conf`);
}
