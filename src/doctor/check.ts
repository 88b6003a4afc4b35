import type { Step } from '../store/plan.ts';
import type { Unsupported } from '../store/strategy.ts';

/** One row of what doctor says. */
export type Check = { check: string; found: string; needed: string; ok: boolean; remedy?: string };

/** A check, and what it means for a boot. */
export type Finding = Check & {
  blocks?: Blocks;
};

/** What a fault keeps from working. */
export type Blocks = {
  /** A plan with a step of such a kind, or with one that mounts; or every plan. */
  steps: readonly Step['do'][] | 'mounting' | 'all';
  failure: Unsupported;
  /** A boot goes on all the same, and what fails is Nix, some time. */
  unnoticed: boolean;
};

/** Nothing to do. */
export const fine = (check: string, found: string, needed: string): Finding => ({
  check,
  found,
  needed,
  ok: true,
});

/** Something to do, and what to type. */
export const fault = (check: string, found: string, needed: string, remedy: string): Finding => ({
  check,
  found,
  needed,
  ok: false,
  remedy,
});

/** A fault with which a boot would not get past such a step. */
export function obstacle(
  finding: Finding,
  steps: Blocks['steps'],
  { stage, what, errno, exitCode }: Omit<Unsupported, 'remedy'>,
  unnoticed = false,
): Finding {
  const failure = { stage, what, errno, exitCode, remedy: finding.remedy ?? '' };
  return { ...finding, blocks: { steps, failure, unnoticed } };
}

/** What to type for another volume: one of the engine's own, on the file system of its disk. */
export const newVolume = (cacheDir: string): string => `docker run -v new-cache:${cacheDir}`;

/** Whether Docker knows a container by this host name: unless told another, or to use the network of another, it does. */
export const isContainerName = (host = ''): boolean => /^[0-9a-f]{12}$/.test(host);
