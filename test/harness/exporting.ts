import { type Killed, killed, program } from './checking.ts';
import type { KillPoint } from './injection.ts';
import { bootCommand, bootInNamespace } from './namespaceBoot.ts';
import type { NixMachine } from './nixMachine.ts';
import type { Outcome } from './run.ts';

/** Runs `export` on the store of the image. */
export const exportAlone = ({ machine }: NixMachine, args: readonly string[]): Promise<Outcome> =>
  bootInNamespace(machine, { program: [program, 'export'], args: [...args] });

/** The same, killed at that call. */
export function killedExport(
  { machine }: NixMachine,
  args: readonly string[],
  point: KillPoint,
): Promise<Killed> {
  const [file, ...rest] = bootCommand(machine, { program: [program, 'export'], args: [...args] });
  return killed(point, file, rest);
}
