import type { PhaseName } from '../timeline.ts';
import type { Analysis } from './schema.ts';

/** One line of the table and of the picture. */
export type Row = { label: string; kind: PhaseName | 'step' | 'service'; start: number; ms: number };

const labels: Readonly<Record<PhaseName, string>> = {
  node: 'Node starts',
  program: 'the program is loaded',
  configuration: 'configuration',
  facts: 'facts are gathered',
  refused: 'tried, and refused: strategy',
  strategy: 'plan: strategy',
  steps: 'steps',
  services: 'services get ready',
  command: 'the command is started',
};

/** In the order of time; what a phase consists of comes after it. */
export const rowsOf = ({ phases, steps, services }: Analysis): Row[] =>
  phases.flatMap(({ name, detail, start, ms }): Row[] => {
    const row = {
      label: detail === undefined ? labels[name] : `${labels[name]} ${detail}`,
      kind: name,
      start,
      ms,
    };
    if (name === 'steps') {
      return [row, ...steps.map(({ what, start, ms }): Row => ({ label: what, kind: 'step', start, ms }))];
    }
    if (name !== 'services') return [row];
    const parts = services.map(
      ({ name, outcome, start, ms }): Row => ({ label: `${name}: ${outcome}`, kind: 'service', start, ms }),
    );
    return [row, ...parts];
  });

/** Whether a row is a part of the one before it. */
export const isPart = ({ kind }: Row): boolean => kind === 'step' || kind === 'service';
