import { basename } from 'node:path';

const TIMEOUT_MS = 2000;

/**
 * Asks a nix-daemon for its version, such as `2.34.1`.
 * @returns null when it does not say; a daemon of another name might not be one that ends.
 */
export function nixVersion(daemon: string | undefined): string | null {
  if (daemon === undefined || basename(daemon) !== 'nix-daemon') return null;
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { stdout } = spawnSync(daemon, ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: TIMEOUT_MS,
  });
  return /\(Nix\) (\S+)/.exec(stdout ?? '')?.[1] ?? null;
}

/** Whether a version such as `2.34.1` comes before another; one that is not known does. */
export function isBefore(version: string | null, [major, minor]: readonly [number, number]): boolean {
  const [, ownMajor, ownMinor] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return Number(ownMajor ?? 0) < major || (Number(ownMajor) === major && Number(ownMinor) < minor);
}
