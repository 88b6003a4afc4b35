import type { KillPoint } from '../calls.ts';

export const showKill = (kill: KillPoint | undefined): string =>
  kill === undefined ? '' : `, killed at call ${kill.n} of ${kill.call}`;
