import { mount } from '../../linux/mount.ts';
import type { Step } from '../plan.ts';

/** In overlayfs options a comma, a colon and a backslash stand for themselves only after a backslash. */
const escapeOption = (path: string): string => path.replace(/[\\,:]/g, '\\$&');

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
