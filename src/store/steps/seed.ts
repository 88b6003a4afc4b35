import { setImmediate as turn } from 'node:timers/promises';
import { isDiskFull } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { databaseIdentity, databaseSchema, databaseStat } from '../../state/identity.ts';
import { seedState } from '../../state/seed.ts';
import { FORMAT, type Manifest, readManifest, writeManifest } from '../../volume/manifest.ts';
import type { Step } from '../plan.ts';
import { showProgress } from '../progress.ts';

type SeedStep = Step & { do: 'seed' };

/** How long the seeding may keep the event loop from turning, in milliseconds. */
const BREATH_MS = 10;

/** Gives a new volume its state, adopts one that has it, and keeps the manifest true. */
export async function seed(step: SeedStep, log: Log, signal: AbortSignal): Promise<void> {
  const progress = showProgress('copying the Nix database to the volume', log);
  let breath = performance.now();
  const breathe = async (done = 0, total = 0): Promise<void> => {
    if (performance.now() - breath < BREATH_MS) return;
    await turn();
    signal.throwIfAborted();
    if (total > 0) progress.update(done, total);
    breath = performance.now();
  };
  const outcome = await seedState({
    ...step,
    onProgress: breathe,
    // Before the state gets its name: a kill in between must not leave a state whose image nobody knows.
    onReady: async () => write(step, await databaseIdentity(step.from, breathe), step.from),
  }).finally(() => progress.end());
  if (outcome === 'present') await recognise(step, log, breathe);
}

/** Compares the image with the one that the volume knows. */
async function recognise(step: SeedStep, log: Log, onBytes: () => Promise<void>): Promise<void> {
  const known = readManifest(step.manifest.path);
  if (known === undefined) {
    log.info('adopting the volume as it is: it has a state directory and no manifest');
    write(step, null, step.to);
    return;
  }
  if (known.imageIdentity === null || known.imageStat === databaseStat(step.from)) return;
  if ((await databaseIdentity(step.from, onBytes)) === known.imageIdentity) {
    remember(step, known);
    return;
  }
  log.warn(
    'the image is not the one this volume was made with; paths that only the new image has are unknown to Nix',
  );
}

function write({ manifest, from }: SeedStep, imageIdentity: string | null, stateDir: string): void {
  const { path, strategy, xattrs } = manifest;
  const imageStat = imageIdentity === null ? null : databaseStat(from);
  const nixSchema = databaseSchema(stateDir);
  writeManifest(path, { format: FORMAT, strategy, xattrs, imageIdentity, imageStat, nixSchema });
}

/** The same image with other times. A full disk only means that it is hashed again next time. */
function remember({ manifest, from }: SeedStep, known: Manifest): void {
  try {
    writeManifest(manifest.path, { ...known, imageStat: databaseStat(from) });
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
