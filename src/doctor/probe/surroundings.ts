import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { errnoOf, hasErrno } from '../../errors.ts';
import { isReadOnly, type MountInfo, mountOf } from '../../linux/mountinfo.ts';
import { readIfThere } from '../../linux/read.ts';
import { runDir } from '../../store/run-layout.ts';
import type { KernelFacts } from '../kernel.ts';
import type { Places } from '../places.ts';
import type { Confinement } from '../privilege.ts';

export function lookAtKernel(): KernelFacts {
  const listed = readIfThere('/proc/filesystems') ?? '';
  return { release: release(), overlay: /^nodev\toverlay$/m.test(listed) };
}

const seccompModes = ['off', 'strict', 'filter'] as const;

export function lookAtConfinement(): Confinement {
  const mode = /^Seccomp:\s*(\d)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return { seccomp: seccompModes[Number(mode)], label: securityLabel() };
}

/** AppArmor's is `docker-default (enforce)`; the mode does not matter. */
function securityLabel(): string | undefined {
  try {
    const [label] = readFileSync('/proc/self/attr/current', 'latin1').split(/[\0\n ]/);
    return label === '' ? undefined : label;
  } catch (error) {
    // A kernel without any such module.
    if (hasErrno(error, 'EINVAL', 'ENOENT', 'EOPNOTSUPP', 'ENOTSUP')) return undefined;
    throw error;
  }
}

export function lookAtPlaces(mounts: readonly MountInfo[], env: NodeJS.ProcessEnv): Places {
  const root = mountOf('/', mounts);
  const path = env['TMPDIR'] || '/tmp';
  return {
    rootReadOnly: root !== undefined && isReadOnly(root),
    runDir: existsSync(runDir),
    scratch: { path, errno: writable(path) },
  };
}

/** By asking, not by writing; null: it can be written to. */
function writable(path: string): string | null {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return errnoOf(error);
  }
}
