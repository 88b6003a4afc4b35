import { setImmediate as turn } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import { databaseIdentity, databaseSchema } from '../../state/identity.ts';
import { seedState } from '../../state/seed.ts';
import { FORMAT, readManifest, writeManifest } from '../../volume/manifest.ts';
import type { Step } from '../plan.ts';
import { showProgress } from '../progress.ts';

/** How long the seeding may keep the event loop from turning, in milliseconds. */
const BREATH_MS = 10;

/** Gives a new volume its state, adopts one that has it, and keeps the manifest true. */
export async function seed(step: Step & { do: 'seed' }, log: Log, signal: AbortSignal): Promise<void> {
  const { path, strategy, xattrs } = step.manifest;
  const progress = showProgress('copying the Nix database to the volume', log);
  const imageIdentity = databaseIdentity(step.from);
  const write = (identity: string | null, stateDir: string): void =>
    writeManifest(path, {
      format: FORMAT,
      strategy,
      xattrs,
      imageIdentity: identity,
      nixSchema: databaseSchema(stateDir),
    });
  let breath = performance.now();
  const outcome = await seedState({
    ...step,
    onProgress: async (done, total) => {
      if (performance.now() - breath < BREATH_MS) return;
      await turn();
      signal.throwIfAborted();
      progress.update(done, total);
      breath = performance.now();
    },
    // Before the state gets its name: a kill in between must not leave a state whose image nobody knows.
    onReady: () => write(imageIdentity, step.from),
  }).finally(() => progress.end());
  if (outcome === 'seeded') return;
  const known = readManifest(path);
  if (known === undefined) {
    log.info('adopting the volume as it is: it has a state directory and no manifest');
    write(null, step.to);
  } else if (known.imageIdentity !== null && known.imageIdentity !== imageIdentity) {
    log.warn(
      'the image is not the one this volume was made with; paths that only the new image has are unknown to Nix',
    );
  }
}
