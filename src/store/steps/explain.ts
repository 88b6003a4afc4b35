import {
  Exit,
  type ExitCode,
  errnoOf,
  InitError,
  isDiskFull,
  type Stage,
  toInitError,
} from '../../errors.ts';

import { isMounting, type Step } from '../plan.ts';
import { runLayout } from '../run-layout.ts';

const stages: Readonly<Record<Step['do'], Stage>> = {
  mkdir: 'mount',
  lock: 'lock',
  unmount: 'mount',
  tmpfs: 'mount',
  bind: 'mount',
  verify: 'facts',
  'try-xattrs': 'mount',
  seed: 'seed',
  reconcile: 'reconcile',
  snapshot: 'seed',
  mask: 'mount',
  overlay: 'mount',
  'bind-each': 'mount',
  clear: 'seed',
  roots: 'seed',
  'nix-conf': 'mount',
  unmark: 'facts',
  warn: 'facts',
  environment: 'facts',
  manifest: 'facts',
  'claim-state': 'facts',
  'binary-cache': 'seed',
  substituter: 'seed',
  'keep-paths': 'seed',
  push: 'push',
  listen: 'service',
};

/** All there are. */
export const stepKinds = Object.keys(stages) as readonly Step['do'][];

/** The error for a step that failed, with a remedy of its own where the general one would mislead. */
export function explain(error: unknown, step: Step): InitError {
  const errno = errnoOf(error);
  const mounting = isMounting(step);
  const fault = (
    what: string,
    remedy: string,
    exitCode: ExitCode,
    more: { unfit?: boolean } = {},
  ): InitError => new InitError({ stage: 'mount', what, errno, remedy, exitCode, ...more, cause: error });
  if (mounting && (errno === 'EACCES' || errno === 'EPERM')) {
    return fault(
      `mounting was denied although CAP_SYS_ADMIN is held (AppArmor's default profile does this): ${subject(step)}`,
      'docker run --security-opt apparmor=unconfined',
      Exit.privilege,
    );
  }
  if (step.do === 'overlay' && errno === 'ENODEV') {
    return fault('the kernel has no overlayfs', 'modprobe overlay on the host', Exit.privilege);
  }
  if (step.do === 'overlay' && errno === 'EINVAL') {
    // A reader's own upper layer is in memory, where nothing is refused.
    const volume = step.lower.at(-1);
    if (step.upper === runLayout.upper && volume !== undefined)
      return fault(`overlayfs refuses ${volume} as a lower layer`, "'dmesg' on the host says why", Exit.io);
    return fault(
      `overlayfs refuses ${step.upper} as an upper layer`,
      "use a volume on ext4, xfs or btrfs; 'dmesg' on the host says why",
      Exit.io,
      { unfit: true },
    );
  }
  if (step.do === 'try-xattrs' && (errno === 'ENOTSUP' || errno === 'EOPNOTSUPP')) {
    return fault(
      `the file system of ${step.path} has no ${step.xattrs} xattrs, without which it cannot be an upper layer`,
      'use a volume on ext4, xfs or btrfs',
      Exit.io,
      { unfit: true },
    );
  }
  // It is no volume's.
  if (step.do === 'snapshot' && isDiskFull(error)) {
    const remedy = 'give the container more room, or more memory where its root is read-only';
    return new InitError({ ...toInitError(error, stages[step.do], subject(step)), remedy, cause: error });
  }
  return toInitError(error, stages[step.do], subject(step));
}

const subject = (step: Step): string => {
  switch (step.do) {
    case 'mkdir':
    case 'try-xattrs':
    case 'lock':
      return step.path;
    case 'seed':
    case 'snapshot':
      return step.to;
    case 'reconcile':
      return step.stateDir;
    case 'verify':
      return step.manifest;
    case 'unmount':
      return step.targets.join(' ');
    case 'roots':
      return step.record;
    case 'clear':
      return step.paths.join(' ');
    case 'nix-conf':
      return step.dir;
    case 'manifest':
      return step.path;
    case 'unmark':
      return step.files.join(' ');
    case 'warn':
      return step.text;
    case 'environment':
      return Object.keys(step.variables).join(' ');
    case 'claim-state':
      return step.record;
    case 'binary-cache':
    case 'substituter':
    case 'keep-paths':
      return step.cache;
    case 'push':
      return step.records;
    case 'listen':
      return step.socket;
    default:
      return step.target;
  }
};
