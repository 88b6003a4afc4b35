import { readIfThere } from '../../linux/read.ts';
import type { IndirectRoot, MountMark, RootRecord } from './roots.ts';

const FORMAT = 1;

/** The record as a file has it. */
export const renderRecord = ({ looks, roots }: RootRecord): string =>
  `${JSON.stringify({ format: FORMAT, looks, roots }, null, 1)}\n`;

/** Reads the record: undefined where there is none, 'damaged' for one that cannot be understood. */
export function readRecord(path: string): RootRecord | 'damaged' | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return 'damaged';
    throw error;
  }
}

function parse(value: unknown): RootRecord | 'damaged' {
  const { format, looks, roots } = fields(value);
  const known = format === FORMAT && (looks === null || typeof looks === 'string');
  return known && Array.isArray(roots) && roots.every(isRoot) ? { looks, roots } : 'damaged';
}

function isRoot(value: unknown): value is IndirectRoot {
  const { auto, target, storePath, mount, absentSince } = fields(value);
  const texts = [auto, target, storePath].every((field) => typeof field === 'string');
  return texts && isMark(mount) && (absentSince === undefined || typeof absentSince === 'number');
}

function isMark(value: unknown): value is MountMark {
  const { target, source } = fields(value);
  return typeof target === 'string' && typeof source === 'string';
}

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
