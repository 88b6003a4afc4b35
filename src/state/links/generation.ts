import { posix } from 'node:path';
import { below, type Places } from './destination.ts';
import type { Links } from './links.ts';

/** One generation of a profile: `default-3-link` of `default` (src/libstore/profiles.cc). */
export type Generation = { path: string; number: number };

export const generationPath = (profile: string, number: number): string => `${profile}-${number}-link`;

/** The number of a generation link of this profile; undefined for any other path. */
export function generationNumber(profile: string, path: string): number | undefined {
  if (!path.startsWith(`${profile}-`)) return undefined;
  const [, digits] = /^-([0-9]+)-link$/.exec(path.slice(profile.length)) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The generation that a profile is at; undefined for a link that is no profile with generations. */
export function currentGeneration(
  profile: string,
  links: Links,
  { stateDir }: Pick<Places, 'stateDir'>,
): Generation | undefined {
  const link = links.get(profile);
  if (link?.kind !== 'symlink') return undefined;
  const directory = posix.dirname(posix.join(stateDir, profile));
  const path = below(stateDir, posix.resolve(directory, link.target));
  const number = path === undefined ? undefined : generationNumber(profile, path);
  return path === undefined || number === undefined ? undefined : { path, number };
}

/** The generations of a profile, current or not. */
export function generationsOf(profile: string, links: Links): Generation[] {
  return [...links.keys()].flatMap((path) => {
    const number = generationNumber(profile, path);
    return number === undefined ? [] : [{ path, number }];
  });
}

/** A link that led to one generation, leading to another of the same profile; absolute or relative as it was. */
export const retarget = (target: string, path: string): string =>
  target.slice(0, target.lastIndexOf('/') + 1) + posix.basename(path);
