import { readIfThere } from '../linux/read.ts';
import type { Base } from '../state/links/base.ts';
import type { Directory, Entry, Link, Links } from '../state/links/links.ts';
import { isBase } from '../state/links/record.ts';

const FORMAT = 1;

/** Profiles and roots as the volume keeps them, where there is no state directory on it. */
export type LinkRecord = {
  /** What images had brought of them, as of the last merge. */
  bases: readonly Base[];
  links: Links;
  /** Paths of links that could not be restored in the container that wrote this, and are kept for the next. */
  unrestored: readonly string[];
};

/** The record as a file has it; what is neither a link nor a directory is nobody's to restore. */
export function renderRecord({ bases, links, unrestored }: LinkRecord): string {
  const kept = [...links].filter(([, { kind }]) => kind !== 'other');
  return `${JSON.stringify({
    format: FORMAT,
    bases: bases.map((base) => Object.fromEntries(base)),
    // In an order of its own, so that equal records have equal texts; directories still come before what is in them.
    links: Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    unrestored: unrestored.toSorted(),
  })}\n`;
}

/** Reads the record: undefined where there is none, 'damaged' for one that cannot be understood. */
export function readRecord(path: string): { record: LinkRecord; text: string } | 'damaged' | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const record = parse(JSON.parse(text));
    return record === undefined ? 'damaged' : { record, text };
  } catch (error) {
    if (error instanceof SyntaxError) return 'damaged';
    throw error;
  }
}

/** Links as they are in a file of ours; undefined for anything else. */
export function parseLinks(value: unknown): Links | undefined {
  if (!isObject(value)) return undefined;
  const links = new Map<string, Entry>();
  for (const [path, entry] of Object.entries(value)) {
    const parsed = parseEntry(entry);
    if (parsed === undefined) return undefined;
    links.set(path, parsed);
  }
  return links;
}

function parse(value: unknown): LinkRecord | undefined {
  const { format, bases, links, unrestored } = fields(value);
  const parsed = parseLinks(links);
  if (format !== FORMAT || parsed === undefined) return undefined;
  if (!Array.isArray(bases) || bases.length === 0 || !bases.every(isBase)) return undefined;
  if (!Array.isArray(unrestored) || !unrestored.every((path) => typeof path === 'string')) return undefined;
  return { bases: bases.map((base) => new Map(Object.entries(base))), links: parsed, unrestored };
}

function parseEntry(value: unknown): Link | Directory | undefined {
  const { kind, target, mode, uid, gid } = fields(value);
  if (typeof uid !== 'number' || typeof gid !== 'number') return undefined;
  if (kind === 'symlink' && typeof target === 'string') return { kind, target, uid, gid };
  if (kind === 'directory' && typeof mode === 'number') return { kind, mode, uid, gid };
  return undefined;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const fields = (value: unknown): Record<string, unknown> => (isObject(value) ? { ...value } : {});
