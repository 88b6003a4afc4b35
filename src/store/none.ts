import type { Strategy } from './strategy.ts';

/** A plain PID 1: the image as it is, and nothing is kept. */
export const none: Strategy = { name: 'none', unsupported: () => undefined, plan: () => [] };
