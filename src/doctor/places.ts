import { Exit } from '../errors.ts';
import type { Facts } from '../store/facts.ts';
import { runDir } from '../store/run-layout.ts';
import { type Finding, fault, fine, obstacle } from './check.ts';

/** What of the container's own file system can be written. */
export type Places = {
  rootReadOnly: boolean;
  /** Whether there is what a tmpfs can be mounted on. */
  runDir: boolean;
  /** Where Nix builds before 2.30; null: it can be written to. */
  scratch: { path: string; errno: string | null };
};

/** A root file system may be read-only; what a boot and builds write then needs another place. */
export function placeChecks(facts: Facts, { rootReadOnly, runDir: there, scratch }: Places): Finding[] {
  return [
    fine('root file system', rootReadOnly ? 'read-only' : 'writable', 'either'),
    runCheck(facts, there),
    scratchCheck(scratch),
  ];
}

function runCheck({ runReadOnly }: Facts, there: boolean): Finding {
  const needed = 'can be written to, or mounted on';
  if (!runReadOnly) return fine('/run', 'can be written to', needed);
  if (there) return fine('/run', `read-only, with ${runDir} to mount on`, needed);
  return obstacle(fault('/run', 'read-only', needed, 'docker run --tmpfs /run'), ['tmpfs'], {
    stage: 'mount',
    what: `${runDir} is missing, and cannot be made`,
    errno: 'EROFS',
    exitCode: Exit.io,
  });
}

function scratchCheck({ path, errno }: Places['scratch']): Finding {
  const needed = 'can be written to, for builds';
  if (errno === null) return fine('scratch', path, needed);
  return fault('scratch', `${path}: ${errno}`, needed, `docker run --tmpfs ${path}:exec`);
}
