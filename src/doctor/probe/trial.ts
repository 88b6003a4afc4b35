import { mkdirSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { mount } from '../../linux/mount.ts';
import { enterOwnMountNamespace } from '../../linux/namespaces.ts';
import { Prctl, prctl } from '../../linux/prctl.ts';
import { mountOverlay } from '../../store/steps/overlay.ts';
import type { Trial, TrialRequest } from './mounting.ts';

const SIGKILL = 9n;

/** The part of `tryMounting` in the process that is thrown away. */
export function performTrial({ scratch, layers, lower, options }: TrialRequest): Trial {
  // Who asked is gone: nobody removes what we would make from here on.
  prctl(Prctl.setDeathSignal, SIGKILL);
  const mounting = attempt(() => {
    enterOwnMountNamespace();
    mount('tmpfs', scratch, 'tmpfs', 0n, 'mode=700');
  });
  if (mounting !== null) return { mounting, overlay: undefined };
  const directory = layers ?? scratch;
  const [upper, work, target] = [`${directory}/upper`, `${directory}/work`, `${directory}/merged`];
  const empty = `${directory}/lower`;
  const overlay = attempt(() => {
    for (const path of [upper, work, target, empty]) mkdirSync(path);
    mountOverlay({ do: 'overlay', target, lower: [lower ?? empty], upper, work, options });
  });
  return { mounting, overlay };
}

function attempt(act: () => void): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return errnoOf(error);
  }
}
