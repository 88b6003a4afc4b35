import type { Config } from '../config/keys.ts';
import { Exit, type InitError } from '../errors.ts';
import type { Facts } from '../store/facts.ts';
import { privilegeMissing } from '../store/overlay.ts';
import { mountingSteps } from '../store/plan.ts';
import { type Finding, fault, fine, obstacle } from './check.ts';
import type { Trial } from './probe/mounting.ts';

/** What limits this process beyond its capabilities. */
export type Confinement = {
  /** As /proc/self/status has it; undefined where the kernel has none. */
  seccomp: 'off' | 'strict' | 'filter' | undefined;
  /** AppArmor's profile or SELinux's context; undefined without such a module. */
  label: string | undefined;
};

/** Who this is, what it may, and whether mounting is really allowed. */
export function privilegeChecks(facts: Facts, confinement: Confinement, trial: Trial): Finding[] {
  const { seccomp = 'none', label = 'none' } = confinement;
  return [
    userCheck(facts),
    capabilityCheck(facts),
    fine('seccomp', seccomp, 'mount(2) allowed'),
    fine('security module', label, 'mount(2) allowed'),
    ...mountingChecks(facts, confinement, trial),
  ];
}

function userCheck({ root, credentials: { uids } }: Facts): Finding {
  const found = `uid ${uids[1]}`;
  return root ? fine('user', found, 'root') : fault('user', found, 'root', 'docker run --user root');
}

function capabilityCheck(facts: Facts): Finding {
  const missing = privilegeMissing(facts);
  if (missing === undefined) return fine('capability', 'CAP_SYS_ADMIN', 'CAP_SYS_ADMIN');
  return fault('capability', 'no CAP_SYS_ADMIN', 'CAP_SYS_ADMIN', missing.remedy);
}

/** Not asked of those who lack the capability: that is a fault already, and this would be the same one again. */
function mountingChecks({ sysAdmin }: Facts, confinement: Confinement, { mounting }: Trial): Finding[] {
  if (!sysAdmin || mounting === undefined) return [];
  if (mounting === null) return [fine('mounting', 'allowed', 'allowed')];
  const finding = fault('mounting', `denied: ${mounting}`, 'allowed', remedyFor(confinement));
  return [
    obstacle(finding, mountingSteps, {
      stage: 'mount',
      what: 'mounting is denied although CAP_SYS_ADMIN is held',
      errno: mounting,
      exitCode: Exit.privilege,
    }),
  ];
}

/** Who denies it: a security module where there is one that confines us, else the filter of system calls. */
export function remedyFor({ seccomp, label }: Confinement): string {
  if (label?.includes(':')) return 'docker run --security-opt label=disable';
  if (label !== undefined && label !== 'unconfined') return 'docker run --security-opt apparmor=unconfined';
  return seccomp === 'filter' ? 'docker run --security-opt seccomp=unconfined' : 'docker run --privileged';
}

/** Whether the command could be started as it is configured. */
export function commandCheck({ user, capabilities }: Config, refusal: InitError | null): Finding {
  const needed = 'can be had';
  const found = `user ${user ?? 'as init'}, capabilities ${JSON.stringify(capabilities)}`;
  if (refusal === null) return fine('command', found, needed);
  return obstacle(fault('command', refusal.what, needed, refusal.remedy), 'all', refusal);
}
