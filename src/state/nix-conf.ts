import { withoutLines } from './nix-conf-lines.ts';

/**
 * The nix.conf that every Nix process in the container reads: in a file, because the shells of `docker exec` inherit
 * nothing from PID 1 (nix.conf(5): of a setting named twice the later line counts).
 * @param settings come first: what the user's own file says wins.
 * @param own the user's nix.conf as it is, relative includes and all: the generated file appears in the same place.
 */
export const generateNixConf = (settings: Settings, own: string): string =>
  [
    '# Made by nix-cache-init at boot. Its defaults, then the nix.conf of the image.',
    ...settingLines(settings),
    withoutLines(own),
  ].join('\n');

export type Settings = Readonly<Record<string, string>>;

export const settingLines = (settings: Settings): string[] =>
  Object.entries(settings).map(([name, value]) => `${name} = ${value}`);

/** Which files Nix reads as the user's nix.conf, the first of which counts most (getUserConfigFiles in src/libstore/globals.cc). */
export function userConfFiles(env: NodeJS.ProcessEnv): string[] {
  const said = env['NIX_USER_CONF_FILES'];
  if (said !== undefined) return said.split(':').filter((file) => file !== '');
  const home = env['NIX_CONFIG_HOME'] || `${env['XDG_CONFIG_HOME'] || `${env['HOME'] ?? ''}/.config`}/nix`;
  const dirs = (env['XDG_CONFIG_DIRS'] ?? '/etc/xdg').split(':').filter((dir) => dir !== '');
  return [home, ...dirs.map((dir) => `${dir}/nix`)].map((dir) => `${dir}/nix.conf`);
}
