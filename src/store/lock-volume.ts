import type { Config } from '../config/keys.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { Step } from './plan.ts';

/** What whoever writes to the volume begins with; `reads`: whether the strategy has a plan that only reads. */
export function lockVolume({ cacheDir, onLocked, lockTimeout }: Config, { reads = true } = {}): Step[] {
  const { own, lock } = volumeLayout(cacheDir);
  return [
    { do: 'mkdir', path: own, mode: 0o755 },
    {
      do: 'lock',
      of: 'volume',
      path: lock,
      waitMs: onLocked === 'wait' ? lockTimeout : 0,
      orRead: reads && onLocked === 'read-only',
    },
  ];
}
