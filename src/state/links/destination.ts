import { posix } from 'node:path';
import { isLinkPath, type Links } from './links.ts';

/** Where Nix sees its directories, as bytes (latin1). */
export type Places = { storeDir: string; stateDir: string };

/** Where a link leads in the end. */
export type Destination =
  | { kind: 'store'; name: string }
  /** To something in the state directory that is no link. */
  | { kind: 'state' }
  /** To where only a running container could tell: a project, a home directory. */
  | { kind: 'elsewhere' }
  /** To something in the state directory that is not there, or round in a circle. */
  | { kind: 'nowhere' };

export type Reached = {
  destination: Destination;
  /** How many links were followed. */
  hops: number;
};

/** As many as the kernel follows (path_resolution(7)). */
const MAX_HOPS = 40;

/** Follows a link of the state directory until it leaves that or ends; in the store the first component counts, as for Nix. */
export function follow(path: string, links: Links, places: Places): Reached {
  let at = posix.join(places.stateDir, path);
  for (let hops = 0; hops <= MAX_HOPS; hops += 1) {
    const name = below(places.storeDir, at)?.split('/')[0];
    if (name !== undefined && name !== '') return { destination: { kind: 'store', name }, hops };
    const inside = below(places.stateDir, at);
    if (inside === undefined) return { destination: { kind: 'elsewhere' }, hops };
    const step = firstLink(inside, links);
    if (step === undefined) return { destination: endOf(inside, links), hops };
    const linked = posix.join(places.stateDir, step.path);
    at = posix.join(posix.resolve(posix.dirname(linked), step.target), step.rest);
  }
  return { destination: { kind: 'nowhere' }, hops: MAX_HOPS };
}

/** `path` relative to a directory; undefined when it is not below it. */
export function below(directory: string, path: string): string | undefined {
  if (path === directory) return '';
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined;
}

function firstLink(path: string, links: Links): { path: string; target: string; rest: string } | undefined {
  const components = path.split('/');
  for (let length = 1; length <= components.length; length += 1) {
    const prefix = components.slice(0, length).join('/');
    const entry = links.get(prefix);
    if (entry?.kind === 'symlink')
      return { path: prefix, target: entry.target, rest: components.slice(length).join('/') };
  }
  return undefined;
}

function endOf(path: string, links: Links): Destination {
  if (links.has(path)) return { kind: 'state' };
  return { kind: isLinkPath(path) ? 'nowhere' : 'elsewhere' };
}
