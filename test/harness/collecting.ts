import assert from 'node:assert/strict';
import { gcSchema } from '../../src/commands/schemas/gc.ts';
import type { GcReport } from '../../src/gc/report.ts';
import { program } from './checking.ts';
import { bootInNamespace } from './namespaceBoot.ts';
import type { NixMachine } from './nixMachine.ts';
import type { Outcome } from './run.ts';
import type { RunningBoot } from './runningBoot.ts';

/** The command line of a collection. */
export const gc = (...flags: string[]): string[] => [program, 'gc', ...flags];

/** Collects in a container that runs. */
export const collectIn = ({ exec }: Pick<RunningBoot, 'exec'>, ...flags: string[]): Promise<Outcome> =>
  exec(gc(...flags));

/** Collects where nothing is mounted: the volume beside the image. */
export const collectAlone = ({ machine }: NixMachine, ...flags: string[]): Promise<Outcome> =>
  bootInNamespace(machine, { program: gc(), args: flags });

/** What `gc --json` says, as its schema has it. */
export function reportOf({ stdout, stderr }: Outcome): GcReport {
  assert.notEqual(stdout, '', stderr);
  return gcSchema.parse(JSON.parse(stdout));
}

/** The names of the packages that went, in the order of their going; derivations apart. */
export const goneOf = ({ deleted }: GcReport): string[] =>
  deleted.map(({ path }) => path.replace(/^.*\/[a-z0-9]{32}-/, '')).filter((name) => !name.endsWith('.drv'));
