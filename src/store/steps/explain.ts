import { Exit, errnoOf, InitError, type Stage, toInitError } from '../../errors.ts';
import type { Step } from '../plan.ts';

const stages: Readonly<Record<Step['do'], Stage>> = {
  mkdir: 'mount',
  lock: 'lock',
  unmount: 'mount',
  tmpfs: 'mount',
  bind: 'mount',
  verify: 'facts',
  seed: 'seed',
  overlay: 'mount',
  clear: 'seed',
  'nix-conf': 'mount',
  listen: 'daemon',
};

/** The error for a step that failed, with a remedy of its own where the general one would mislead. */
export function explain(error: unknown, step: Step): InitError {
  const errno = errnoOf(error);
  const mounting =
    step.do === 'bind' || step.do === 'overlay' || step.do === 'tmpfs' || step.do === 'nix-conf';
  if (mounting && (errno === 'EACCES' || errno === 'EPERM')) {
    return new InitError({
      stage: 'mount',
      what: `mounting was denied although CAP_SYS_ADMIN is held (AppArmor's default profile does this): ${subject(step)}`,
      errno,
      remedy: 'docker run --security-opt apparmor=unconfined',
      exitCode: Exit.privilege,
      cause: error,
    });
  }
  if (step.do === 'overlay' && errno === 'ENODEV') {
    return new InitError({
      stage: 'mount',
      what: 'the kernel has no overlayfs',
      errno,
      remedy: 'modprobe overlay on the host',
      exitCode: Exit.privilege,
      cause: error,
    });
  }
  if (step.do === 'overlay' && errno === 'EINVAL') {
    return new InitError({
      stage: 'mount',
      what: `overlayfs refuses ${step.upper} as an upper layer`,
      errno,
      remedy: "use a volume on ext4, xfs or btrfs; 'dmesg' on the host says why",
      exitCode: Exit.io,
      cause: error,
    });
  }
  return toInitError(error, stages[step.do], subject(step));
}

const subject = (step: Step): string => {
  switch (step.do) {
    case 'mkdir':
    case 'lock':
      return step.path;
    case 'seed':
      return step.to;
    case 'verify':
      return step.manifest;
    case 'unmount':
      return step.targets.join(' ');
    case 'clear':
      return step.paths.join(' ');
    case 'nix-conf':
      return step.dir;
    case 'listen':
      return step.socket;
    default:
      return step.target;
  }
};
