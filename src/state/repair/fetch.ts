import { type NixContext, runNix } from '../check/nix.ts';

export type FetchRequest = NixContext & {
  nixStore: string;
  paths: readonly string[];
  onProgress: (done: number, total: number) => void;
};

/**
 * Has Nix fetch paths anew from the configured substituters. It would build those that it cannot fetch, for hours; that is for
 * who needs them.
 * @returns those that it fetched.
 */
export async function fetchPaths({
  nixStore,
  paths,
  onProgress,
  ...context
}: FetchRequest): Promise<string[]> {
  // By itself: the daemon does no repairs.
  const options = { store: 'local', 'max-jobs': '0', builders: '' };
  const flags = Object.entries(options).flatMap(([name, value]) => ['--option', name, value]);
  const fetched: string[] = [];
  for (const [index, path] of paths.entries()) {
    // One at a time: the first that fails is the last that it tries.
    const outcome = await runNix(nixStore, [...flags, '--repair-path', path], context);
    if (typeof outcome === 'string') fetched.push(path);
    onProgress(index + 1, paths.length);
  }
  return fetched;
}
