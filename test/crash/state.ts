import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { perBoot } from '../harness/namespaceStore.ts';
import { readValidPaths } from '../harness/nixDatabase.ts';
import type { NixMachine } from '../harness/nixMachine.ts';

/** All that a volume keeps, as a flat list of facts, so that two can be compared. */
export type State = Map<string, string>;

/** In the state directory: what is one boot's, and the database, whose rows count and not its bytes. */
const passing = new Set([...perBoot, 'db', 'gc-roots-socket', 'userpool2']);
/** Of our own: who holds the lock, a cache of times, and what may go at any time. */
const ownPassing = new Set(['lock', 'swept', 'trash/store', 'manifest.json', 'remembered.json']);

export function readState({ machine }: NixMachine): State {
  const volume = machine.path('/nix-cache');
  const state: State = new Map();
  for (const [path, { record, references }] of readValidPaths(join(volume, 'var/nix')))
    state.set(`row ${path}`, `${record} ${references}`);
  for (const name of readdirSync(join(volume, 'upper')))
    state.set(`upper ${name}`, describe(join(volume, 'upper', name)));
  visit(join(volume, 'var/nix'), 'state', passing, state);
  visit(join(volume, '.nix-cache-init'), 'own', ownPassing, state);
  for (const [key, value] of Object.entries(readJson(join(volume, '.nix-cache-init/manifest.json'))))
    if (key !== 'imageStat') state.set(`manifest ${key}`, JSON.stringify(value));
  return state;
}

/** The facts that are as in none of some other states. */
export function strayFrom(allowed: readonly State[], state: State): string[] {
  const keys = new Set([state, ...allowed].flatMap((one) => [...one.keys()]));
  return [...keys].sort().flatMap((key) => {
    const values = allowed.map((one) => one.get(key));
    if (values.includes(state.get(key))) return [];
    const wanted = [...new Set(values)].map((value) => value ?? 'nothing').join(' or ');
    return [`${key}: ${state.get(key) ?? 'nothing'} instead of ${wanted}`];
  });
}

function visit(root: string, kind: string, leaveOut: ReadonlySet<string>, state: State, path = ''): void {
  for (const name of readdirSync(join(root, path)).sort()) {
    const entry = path === '' ? name : `${path}/${name}`;
    // What was to become a file of that name: the next one takes its place.
    if (leaveOut.has(entry) || entry.endsWith('.json.new')) continue;
    state.set(`${kind} ${entry}`, describe(join(root, entry)));
    if (lstatSync(join(root, entry)).isDirectory()) visit(root, kind, leaveOut, state, entry);
  }
}

function describe(path: string): string {
  const stat = lstatSync(path);
  const target = stat.isSymbolicLink() ? ` ${readlinkSync(path)}` : '';
  return `${kindOf(stat)} ${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}${target}`;
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'link';
  return stat.isFile() ? 'file' : 'special';
}

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}
