import { readIfThere } from '../../linux/read.ts';
import { replaceFile } from '../../linux/replace.ts';
import type { Base } from './base.ts';

const FORMAT = 1;

/** Writes what images brought, so that a kill or a power cut leaves the old record or this one. */
export function writeRecord(path: string, bases: readonly Base[]): void {
  const text = `${JSON.stringify({ format: FORMAT, bases: bases.map((base) => Object.fromEntries(base)) }, null, 1)}\n`;
  if (text !== readIfThere(path)) replaceFile(path, text);
}

/** Reads it: undefined where there is none, 'damaged' for one that cannot be understood. */
export function readRecord(path: string): Base[] | 'damaged' | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'damaged';
  }
  return parse(value) ?? 'damaged';
}

function parse(value: unknown): Base[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, bases } = value as Record<string, unknown>;
  if (format !== FORMAT || !Array.isArray(bases) || bases.length === 0 || !bases.every(isBase))
    return undefined;
  return bases.map((base) => new Map(Object.entries(base)));
}

/** Whether a value of a file is what images brought. */
export function isBase(value: unknown): value is Record<string, string | null> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((target) => target === null || typeof target === 'string');
}
