import { readMountInfo } from '../../linux/mountinfo.ts';
import type { Log } from '../../log.ts';
import { recordIndirectRoots, settleIndirectRoots } from '../../state/indirect/indirect.ts';
import { RootWatcher } from '../../state/indirect/watch.ts';
import type { Step } from '../plan.ts';

export type RootKeeper = {
  /** To be called when the command runs: it takes half a millisecond, and nothing can have changed before. */
  watch(): void;
  /** To be called when nothing runs any more. */
  end(): void;
};

/** Settles the roots in project directories, and keeps them as long as the container runs. */
export function keepRoots(step: Step & { do: 'roots' }, log: Log): RootKeeper {
  const places = { ...step, mounts: readMountInfo };
  settleIndirectRoots(places, log);
  let watcher: RootWatcher | undefined;
  return {
    watch: () => {
      watcher = new RootWatcher(places, log);
    },
    end: () => {
      watcher?.close();
      recordIndirectRoots(places, log);
    },
  };
}
