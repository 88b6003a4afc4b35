import type { Config } from '../config/keys.ts';
import { formatSize } from '../config/units.ts';
import { Exit } from '../errors.ts';
import type { Step } from '../store/plan.ts';
import { type Finding, fault, fine, newVolume, obstacle } from './check.ts';

type Amount = { free: number; total: number };

/** As statfs(2) has it; undefined where the file system has no such limit. */
export type Room = Record<'bytes' | 'inodes', Amount | undefined>;

/** The steps that write to a volume for the first time. */
export const writing: Step['do'][] = ['seed', 'binary-cache', 'manifest'];

/** What the smallest change of Nix's database takes, with its log. */
const LEAST_BYTES = 1024 * 1024;
/** About so many files has a state directory of an image. */
const LEAST_INODES = 100;

/** Whether there is room for a boot; the room for what is cached nobody knows. */
export function roomChecks(
  { room, seeded, seedBytes }: { room: Room; seeded: boolean; seedBytes: number },
  { cacheDir, access }: Config,
): Finding[] {
  const row = (
    check: string,
    amount: Amount | undefined,
    least: number,
    show: (n: number) => string,
  ): Finding[] => {
    if (amount === undefined) return [];
    const { free, total } = amount;
    const found = `${show(free)} of ${show(total)} free`;
    if (access === 'read-only') return [fine(check, found, 'a reader needs none')];
    const needed = `${show(least)} and what is cached`;
    if (free >= least) return [fine(check, found, needed)];
    // A used volume lets a boot pass: what can be freed, Nix frees.
    if (seeded) return [fault(check, found, needed, 'nix-collect-garbage')];
    const failure = {
      stage: 'seed',
      what: `${cacheDir} is full`,
      errno: 'ENOSPC',
      exitCode: Exit.io,
    } as const;
    return [obstacle(fault(check, found, needed, newVolume(cacheDir)), writing, failure)];
  };
  return [
    ...row('space', room.bytes, LEAST_BYTES + (seeded ? 0 : seedBytes), formatSize),
    ...row('inodes', room.inodes, LEAST_INODES, String),
  ];
}
