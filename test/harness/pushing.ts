import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type HttpCache, startHttpCache } from './httpCache.ts';
import { overlay } from './namespaceStore.ts';
import { makeNixMachine, type NixMachine, type NixMachineOptions } from './nixMachine.ts';

/** The program by the name under which its commands are. */
export const program = '/opt/nix-cache-init/bin/nix-cache-init';

export const build = (name: string): string => `nix-build /packages.nix -A ${name} --no-out-link`;

/** /init's options that have it push to caches; `words` are how it boots otherwise. */
export const pushing = (to: readonly string[], words: readonly string[] = overlay()): string[] => [
  ...['--push-to', JSON.stringify(to)],
  ...words,
];

/** In the configuration of Nix: it asks a server that fails once and not five times, which takes seconds. */
export const once = { NIX_CONFIG: 'download-attempts = 1' };

/** A machine with a real Nix, and a cache that it can push to. */
export async function makePushGround(
  make: (options: NixMachineOptions) => Promise<NixMachine> = makeNixMachine,
): Promise<AsyncDisposable & { nix: NixMachine; cache: HttpCache }> {
  await using stack = new AsyncDisposableStack();
  const cache = stack.use(await startHttpCache());
  const nix = stack.use(await make({ images: ['A'] }));
  const kept = stack.move();
  return { nix, cache, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** The names of files that were sent more than once. */
export const sentTwice = (cache: HttpCache): string[] =>
  cache.puts().filter((path, index, all) => all.indexOf(path) !== index);

/** What is noted of what was pushed where: a text for each cache. */
export const pushRecords = async ({ machine }: NixMachine): Promise<string[]> => {
  const names = await machine.shell('ls nix-cache/.nix-cache-init/pushed 2>/dev/null || true');
  const files = names.split('\n').filter((name) => name !== '');
  return files.map((name) => readFileSync(machine.path(`/nix-cache/.nix-cache-init/pushed/${name}`), 'utf8'));
};

/** Whether it is noted that a path was pushed. */
export const isNoted = async (nix: NixMachine, path: string): Promise<boolean> =>
  (await pushRecords(nix)).some((text) => text.includes(`\n${basename(path)}\n`));
