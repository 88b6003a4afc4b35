import { readIfThere } from '../linux/read.ts';
import { replaceFile } from '../linux/replace.ts';
import { type Links, readImageLinks } from '../state/links/links.ts';
import { lastPath } from './new-paths.ts';
import { type CachePlaces, ownFiles } from './places.ts';
import { parseLinks } from './record.ts';

/** What a container's store was before its first boot: what the image brought. */
export type Start = {
  /** The last of the image's rows in the database. */
  lastPath: number;
  links: Links;
  /** The record of links on the volume as this container last wrote or restored it; null: it never did. */
  record: string | null;
};

/** Reads it, or takes it down at a first boot: it goes where the container's store goes. */
export function readStart({ own, stateDir }: CachePlaces): Start {
  const known = parse(readIfThere(ownFiles(own).start));
  if (known !== undefined) return known;
  const start = { lastPath: lastPath(stateDir), links: readImageLinks(stateDir), record: null };
  writeStart(own, start);
  return start;
}

/** Writes it, so that a kill leaves the old or the new. */
export function writeStart(own: string, { lastPath, links, record }: Start): void {
  const kept = [...links].filter(([, { kind }]) => kind !== 'other');
  replaceFile(
    ownFiles(own).start,
    `${JSON.stringify({ lastPath, links: Object.fromEntries(kept), record })}\n`,
  );
}

/** One that cannot be understood is nobody's but ours: then what is there now is where this container starts. */
function parse(text: string | undefined): Start | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { lastPath, links, record } = { ...(value as Record<string, unknown>) };
  const parsed = parseLinks(links);
  if (typeof lastPath !== 'number' || parsed === undefined) return undefined;
  return record === null || typeof record === 'string' ? { lastPath, links: parsed, record } : undefined;
}
