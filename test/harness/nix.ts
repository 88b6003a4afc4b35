import assert from 'node:assert/strict';
import type { Container } from './container.ts';
import type { Outcome } from './run.ts';

/** What a build of a fixture package looks like from inside, in any version of Nix. */
export const build = (name: string): string[] => ['nix-build', '/packages.nix', '-A', name, '--no-out-link'];

/** The same for several packages, as a line of shell. */
export const buildLine = (...names: string[]): string =>
  `nix-build /packages.nix --no-out-link ${names.map((name) => `-A ${name}`).join(' ')}`;

export function builtPath(outcome: Outcome): string {
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  const path = outcome.stdout.trim().split('\n').at(-1) ?? '';
  assert.match(path, /^\/nix\/store\/[a-z0-9]{32}-/, outcome.stderr);
  return path;
}

export function assertBuilt(outcome: Outcome, name: string): string {
  assert.match(outcome.stderr, new RegExp(`building '/nix/store/[a-z0-9]{32}-${name}\\.drv'`));
  return builtPath(outcome);
}

export function assertNothingBuilt(outcome: Outcome): string {
  assert.doesNotMatch(outcome.stderr, /building '|will be built/);
  return builtPath(outcome);
}

export interface Builds<Name extends string> {
  /** The packages for which a builder ran, sorted. */
  built: string[];
  paths: Record<Name, string>;
}

/** Builds several packages, or learns that they need not be built. */
export async function buildAll<Name extends string>(
  container: Container,
  ...names: Name[]
): Promise<Builds<Name>> {
  const wanted = names.flatMap((name) => ['-A', name]);
  const { exitCode, stdout, stderr } = await container.exec([
    'nix-build',
    '/packages.nix',
    ...wanted,
    '--no-out-link',
  ]);
  assert.equal(exitCode, 0, stderr);
  const lines = stdout.trim().split('\n');
  const paths = Object.fromEntries(names.map((name, index) => [name, lines[index]]));
  return { built: packagesBuilt(stderr), paths: paths as Record<Name, string> };
}

/** The packages for which a builder ran, sorted, of what Nix said. */
export const packagesBuilt = (stderr: string): string[] =>
  Array.from(stderr.matchAll(/building '\/nix\/store\/(\S+)\.drv'/g), ([, path = '']) =>
    packageOf(path),
  ).sort();

/** Those of the paths that Nix calls valid, in their order. */
export async function validOf(container: Container, paths: readonly string[]): Promise<string[]> {
  // An empty list would ask nothing, and be answered with nothing.
  assert.notEqual(paths.length, 0);
  const query = ['nix-store', '--check-validity', '--print-invalid', ...paths];
  const { exitCode, stdout, stderr } = await container.exec(query);
  assert.equal(exitCode, 0, stderr);
  const invalid = new Set(stdout.split('\n'));
  return paths.filter((path) => !invalid.has(path));
}

/** The package's part of a store path, or of its name. */
export const packageOf = (path: string): string => path.replace(/^.*[a-z0-9]{32}-/, '');

/** Every row has its path, every path its contents. */
export async function assertStoreIsSound(container: Container): Promise<void> {
  assertVerified(await container.exec(['nix-store', '--verify', '--check-contents']));
}

/** That `nix-store --verify --check-contents` had nothing to complain about. */
export function assertVerified({ exitCode, stderr }: Outcome): void {
  assert.equal(exitCode, 0, stderr);
  assert.doesNotMatch(stderr, /disappeared|modified|error|not valid/);
}

/** The PIDs of all that is Nix: the daemon alone, while no client runs. */
export async function nixProcesses(container: Container): Promise<string[]> {
  const list =
    'for (glob "/proc/[0-9]*") { print s{/proc/}{}r, "\\n" if (readlink("$_/exe") // "") =~ m{/nix$} }';
  const { stdout } = await container.exec(['perl', '-e', list]);
  return stdout.split('\n').filter((pid) => pid !== '');
}
