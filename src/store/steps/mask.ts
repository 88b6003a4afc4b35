import { lstatSync, readdirSync } from 'node:fs';
import { makeWhiteout } from '../../linux/whiteout.ts';
import { isStorePathName, namesBelow } from '../../state/reconcile/layers.ts';
import type { Step } from '../plan.ts';

/** Between two layers of an overlay: hides what the lower ones have of the names of the upper one, which would be shown merged. */
export function mask({ of, below, target }: Step & { do: 'mask' }): void {
  const there = namesBelow(below);
  const isHere = (name: string): boolean =>
    lstatSync(`${target}/${name}`, { throwIfNoEntry: false }) !== undefined;
  for (const name of readdirSync(of))
    if (isStorePathName(name) && there.has(name) && !isHere(name)) makeWhiteout(`${target}/${name}`);
}
