import { type NixContext, runNix } from '../check/nix.ts';

export type FetchRequest = NixContext & { nixStore: string; paths: readonly string[] };

/** As many as a command line holds with ease. */
const BATCH_PATHS = 500;

/**
 * Has Nix ask the configured substituters for paths that are not valid. Not by `--repair-path`: where no substituter has one, that
 * goes on to build it, for which it first deletes what is there, and fetches what it refers to anew, over the image's.
 */
export async function fetchPaths({ nixStore, paths, ...context }: FetchRequest): Promise<void> {
  // A derivation would be built; evaluating makes it again.
  const wanted = paths.filter((path) => !path.endsWith('.drv'));
  for (let from = 0; from < wanted.length; from += BATCH_PATHS) {
    const batch = wanted.slice(from, from + BATCH_PATHS);
    // It fails when one of them is nowhere; which ones it got, the database tells.
    await runNix(nixStore, ['--realise', '--keep-going', '--max-jobs', '0', ...batch], context);
  }
}
