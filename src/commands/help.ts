import packageJson from '../../package.json' with { type: 'json' };
import { synopsis } from '../config/flags.ts';
import { flagName, type KeyName, keyNames, keys } from '../config/keys.ts';
import { defaultConfigFile } from '../config/load.ts';
import { type CommandName, usages } from './usage.ts';

export const versionText = `nix-cache-init ${packageJson.version}\n`;

/** The width of the longest command's name and two blanks. */
const NAME_COLUMN = Math.max(...Object.keys(usages).map((name) => name.length)) + 2;

/** The overview, or one command's page. A command's page fits a terminal of 24 lines but for `run`'s, which has the keys; all, 80 columns. */
export function helpText(command?: CommandName): string {
  return command === undefined ? overview() : page(command);
}

function overview(): string {
  const rows = Object.entries(usages).map(([name, { summary }]) => `  ${name.padEnd(NAME_COLUMN)}${summary}`);
  return `${synopsis}
PID 1 for Nix containers: keeps the Nix store on a persistent volume.

${rows.join('\n')}

Options of every command: --help, --version, --config FILE, and a flag for each
configuration key (see nix-cache-init run --help).
`;
}

function page(command: CommandName): string {
  const { usage, summary, switches, values } = usages[command];
  const rows = [
    ...Object.entries({ ...values, ...switches }).map(([name, help]) => row(name, help)),
    ...(command === 'run' ? keyNames.map(keyRow) : []),
    row('config', `configuration file [${defaultConfigFile}]`),
  ];
  const others =
    command === 'run' ? '' : '\nEach configuration key is an option, too: see nix-cache-init run --help.\n';
  return `Usage: nix-cache-init ${usage}\n${summary}\n\n${rows.join('\n')}\n${others}`;
}

function keyRow(name: KeyName): string {
  const { initial, help } = keys[name];
  const shown = typeof initial === 'string' ? initial : JSON.stringify(initial);
  return row(flagName(name), `${help} [${shown ?? 'none'}]`);
}

const row = (name: string, help: string): string => `  --${name.padEnd(18)}${help}`;
