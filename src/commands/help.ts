import packageJson from '../../package.json' with { type: 'json' };
import { synopsis } from '../config/flags.ts';
import { flagName, keyNames, keys } from '../config/keys.ts';
import { defaultConfigFile } from '../config/load.ts';
import { type CommandName, usages } from './usage.ts';

export const versionText = `nix-cache-init ${packageJson.version}\n`;

/** The overview, or one command's page. Fits a terminal of 24 lines and 80 columns as far as the options do. */
export function helpText(command?: CommandName): string {
  return command === undefined ? overview() : page(command);
}

function overview(): string {
  const rows = Object.entries(usages).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`);
  return `${synopsis}
PID 1 for Nix containers: keeps the Nix store on a persistent volume.

${rows.join('\n')}

Options of every command: --help, --version, --config FILE, and a flag for each
configuration key (see nix-cache-init run --help).
`;
}

function page(command: CommandName): string {
  const { usage, summary } = usages[command];
  const rows = keyNames.map((name) => {
    const { initial, help } = keys[name];
    const shown = typeof initial === 'string' ? initial : JSON.stringify(initial);
    return `  --${flagName(name).padEnd(18)}${help} [${shown ?? 'none'}]`;
  });
  return `Usage: nix-cache-init ${usage}
${summary}

${rows.join('\n')}
  --config            configuration file [${defaultConfigFile}]
`;
}
