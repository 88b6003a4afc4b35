import { Exit } from '../errors.ts';
import type { Facts } from '../store/facts.ts';
import { type Finding, fault, fine, obstacle } from './check.ts';
import type { Trial } from './probe/mounting.ts';

/** What the kernel is, and whether it says that it has overlayfs. */
export type KernelFacts = { release: string; overlay: boolean };

/** Whether the kernel can mount overlays: one that is not listed may be a module that is loaded at the first use. */
export function kernelChecks({ release, overlay }: KernelFacts, trial: Trial): Finding[] {
  const needed = 'overlayfs';
  if (overlay) return [fine('kernel', `Linux ${release} with overlayfs`, needed)];
  if (trial.overlay === null) return [fine('kernel', `Linux ${release}, overlayfs as a module`, needed)];
  const found = `Linux ${release} without overlayfs`;
  return [
    obstacle(fault('kernel', found, needed, 'modprobe overlay # on the host'), ['overlay'], {
      stage: 'mount',
      what: 'the kernel has no overlayfs',
      errno: 'ENODEV',
      exitCode: Exit.privilege,
    }),
  ];
}

/** Which attributes overlayfs would use: those of the other kind a user namespace may not write. */
export const namespaceCheck = ({ userNamespace }: Facts): Finding =>
  fine('user namespace', userNamespace ? 'one of its own' : 'the first', 'either');
