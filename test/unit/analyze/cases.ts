import type { Analysis } from '../../../src/analyze/schema.ts';

/** A boot of ten milliseconds with a step of that name. */
export const makeAnalysis = (what: string): Analysis => ({
  strategy: 'overlay',
  began: '2026-01-02T03:04:05.678Z',
  ms: 10,
  phases: [
    { name: 'node', start: 0, ms: 5 },
    { name: 'steps', start: 5, ms: 4.9 },
    { name: 'command', start: 9.9, ms: 0.1 },
  ],
  steps: [{ do: 'mkdir', what, start: 5, ms: 0.01 }],
  services: [],
});
