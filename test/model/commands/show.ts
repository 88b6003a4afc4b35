import type { KillPoint } from '../ground.ts';

export const showKill = (kill: KillPoint | undefined): string =>
  kill === undefined ? '' : `, killed at call ${kill.n} of ${kill.call}`;
