import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { alone } from './lock.ts';
import { run, tail } from './run.ts';

// Debian keeps dockerd and mkfs in the sbin directories, which a plain user's PATH lacks.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** What `npm run build` needs. Debian's smallest has no mount. */
export const buildCommands = { strip: 'binutils', gcc: 'gcc', patchelf: 'patchelf', mount: 'mount' };

/** Installs the Debian packages whose commands are missing, after saying so. */
export async function installCommands(packageOf: Record<string, string>): Promise<void> {
  if (missingOf(packageOf).length === 0) return;
  // Test files run beside each other, and apt does not.
  await alone('apt', () => installPackages(missingOf(packageOf)));
}

function missingOf(packageOf: Record<string, string>): string[] {
  const missing = Object.entries(packageOf).filter(([command]) => !isOnPath(command));
  return [...new Set(missing.map(([, name]) => name))];
}

async function installPackages(packages: string[]): Promise<void> {
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(
      `needs the Debian packages ${packages.join(' ')}: run as root, or first: apt-get install ${packages.join(' ')}`,
    );
  }
  console.log(`Installing Debian packages: ${packages.join(' ')}`);
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  let result = await apt(install);
  if (result.exitCode !== 0) {
    await apt(['update', '-q']);
    result = await apt(install);
  }
  if (result.exitCode !== 0) {
    throw new Error(`apt-get ${install.join(' ')} failed:\n${tail(result.stderr)}`);
  }
}

export function isOnPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((directory) => isExecutable(join(directory, command)));
}

function apt(args: string[]): ReturnType<typeof run> {
  return run('apt-get', args, { env: { DEBIAN_FRONTEND: 'noninteractive' } });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
