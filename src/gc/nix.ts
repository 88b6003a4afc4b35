import { statfsSync } from 'node:fs';
import { findCommand } from '../linux/commands.ts';
import { requireNix, runNix } from '../state/check/nix.ts';
import type { KeepSettings } from './graph.ts';
import type { StoreToCollect } from './places.ts';

export type NixRequest = { store: StoreToCollect; signal: AbortSignal };

/** Something that keeps a path, by the name that Nix has for it: a link, a process, `{censored}` to those who may not know. */
export type Root = { root: string; path: string };

/** What Nix said when it could not do it. */
export class NixRefusal extends Error {
  override readonly name = 'NixRefusal';
  /** Whether it was for lack of space: of a full disk SQLite says no more than that it could not write. */
  readonly full: boolean;

  constructor(said: string, stateDir: string, cause?: unknown) {
    super(said, { cause });
    this.full =
      /No space left on device|Disk quota exceeded|database or disk is full/.test(said) ||
      (/disk I\/O error|unable to open database/.test(said) && freeBytes(stateDir) < LEAST_BYTES);
  }
}

/** What SQLite needs at least to open a database: an index of its log. */
const LEAST_BYTES = 64 * 1024;

/** What is free to whoever we are: root has what a file system keeps for it, too. */
export function freeBytes(directory: string): number {
  const { bsize, bfree, bavail } = statfsSync(directory);
  return bsize * (process.geteuid?.() === 0 ? bfree : bavail);
}

/**
 * What Nix takes for roots now: links, running programs and what is being built. Asked for alone, as the lists of dead or live
 * paths are no harmless question: making them, Nix deletes what has no store path's name (src/libstore/gc.cc).
 */
export async function findRoots(request: NixRequest): Promise<Root[]> {
  const said = await nixStore(request, ['--gc', '--print-roots']);
  return said.split('\n').flatMap((line) => {
    const arrow = line.lastIndexOf(' -> ');
    return arrow < 0 ? [] : [{ root: unquoted(line.slice(0, arrow)), path: line.slice(arrow + 4) }];
  });
}

/** Nix 2.31 and later quote links as C++ does (std::quoted). */
const unquoted = (text: string): string =>
  /^".*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;

/** @throws {NixRefusal} with what Nix said. */
export async function nixStore({ store, signal }: NixRequest, args: readonly string[]): Promise<string> {
  const context = contextOf({ store, signal });
  const said = await runNix(requireNix('nix-store', context), [...store.storeFlags, ...args], context);
  if (said instanceof Error) throw new NixRefusal(everything(said), store.realStateDir, said);
  return said;
}

const contextOf = ({ store, signal }: NixRequest) => ({
  // What it says of an error is to be understood.
  env: { ...store.env, LC_ALL: 'C' },
  signal,
  stage: 'gc' as const,
});

/** All that it said, not the last line alone: some errors take several. */
function everything({ cause, message }: Error): string {
  const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
  return said.trim() === '' ? message : said.trim();
}

/** What nix.conf says of derivations and outputs; where that cannot be asked, whatever deletes less. */
export async function keepSettings({ store, signal }: NixRequest): Promise<KeepSettings> {
  const context = contextOf({ store, signal });
  const args = ['--extra-experimental-features', 'nix-command', 'show-config', '--json'];
  const nix = findCommand('nix', store.env['PATH']);
  const said = nix === undefined ? undefined : await runNix(nix, args, context);
  const settings: unknown = typeof said === 'string' ? JSON.parse(said) : {};
  return {
    keepOutputs: setting(settings, 'keep-outputs'),
    keepDerivations: setting(settings, 'keep-derivations'),
  };
}

function setting(settings: unknown, name: string): boolean {
  if (typeof settings !== 'object' || settings === null) return true;
  const { value } = { ...(settings as Record<string, { value?: unknown }>)[name] };
  return value !== false;
}
