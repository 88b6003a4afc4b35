import { accessSync, constants, statSync } from 'node:fs';

/** Where images put Nix when their PATH does not say: the multi-user and the single-user profile, and Debian. */
const nixPlaces = [
  '/nix/var/nix/profiles/default/bin',
  '/root/.nix-profile/bin',
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
];

/** Looks a command up as execvp(3) would, then where Nix usually is. */
export function findCommand(command: string, searchPath = ''): string | undefined {
  if (command.includes('/')) return isExecutable(command) ? command : undefined;
  return [...searchPath.split(':'), ...nixPlaces]
    .filter((dir) => dir !== '')
    .map((dir) => `${dir}/${command}`)
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Whatever keeps us from executing it, the next place may serve.
    return false;
  }
}
