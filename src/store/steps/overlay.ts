import { mount } from '../../linux/mount.ts';
import { escapeOption } from '../../linux/overlayfs.ts';
import type { Step } from '../plan.ts';

/** The option string of an overlay mount (overlayfs.rst). */
export function overlayOptions({ lower, upper, work, options }: Step & { do: 'overlay' }): string {
  return [
    `lowerdir=${lower.map(escapeOption).join(':')}`,
    `upperdir=${escapeOption(upper)}`,
    `workdir=${escapeOption(work)}`,
    ...options,
  ].join(',');
}

export function mountOverlay(step: Step & { do: 'overlay' }): void {
  mount('overlay', step.target, 'overlay', 0n, overlayOptions(step));
}
