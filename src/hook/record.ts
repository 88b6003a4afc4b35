import { makeDirectories } from '../linux/directories.ts';
import { readIfThere } from '../linux/read.ts';
import { removeFile } from '../linux/remove.ts';
import { replaceFile } from '../linux/replace.ts';
import type { Step, StrategyName } from '../store/plan.ts';
import { runDir, runLayout } from '../store/run-layout.ts';

/** Where a mount was made; another configuration since does not change what is to be undone. */
export type HookPlaces = { cacheDir: string; storeDir: string; stateDir: string };

/** What `mount` leaves for `unmount`, and for a second `mount`: the plan as an init leaves it, and how far it came. */
export type HookRecord = {
  strategy: StrategyName;
  steps: (Step & { ms?: number | undefined })[];
  hook: HookPlaces & {
    /** Whether all of it is mounted: not while it is mounted or unmounted, and not after a kill then. */
    complete: boolean;
  };
};

const file = runLayout.record;

/** @returns undefined where no `mount` was here, but nobody, or an init. */
export function readHookRecord(): HookRecord | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const record = parse(text);
  return record?.hook === undefined ? undefined : (record as HookRecord);
}

/** Of an init that was killed it may be cut off. */
function parse(text: string): Partial<HookRecord> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function writeHookRecord(record: HookRecord): void {
  makeDirectories(runDir);
  replaceFile(file, `${JSON.stringify(record, null, 2)}\n`);
}

export const removeHookRecord = (): void => removeFile(file);
