import type { KillPoint } from '../../harness/injection.ts';

export const showKill = (kill: KillPoint | undefined): string =>
  kill === undefined ? '' : `, killed at call ${kill.n} of ${kill.call}`;
