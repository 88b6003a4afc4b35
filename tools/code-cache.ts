// Takes the code caches of the scripts after their functions have run: `node code-cache.ts DIRECTORY [GROUND]`, a place
// that tools/warm-ground.sh has made.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { repository } from '../test/harness/paths.ts';
import { anywhere, bootThatMounts } from './warm-runs.ts';

type Loader = { boot?: { main(argv: readonly string[], loading: number): Promise<number> } };

const [, , directory = '', ground] = process.argv;
const scripts = new Map<string, Script>();

/** One that has no cache yet. */
class CachedScript extends Script {
  constructor(text: string, { filename }: { filename: string }) {
    super(text, { filename });
    scripts.set(filename, this);
  }
}

const require = createRequire(import.meta.url);
/** What src/loader.cjs finds in the executable. */
const inExecutable: Record<string, unknown> = {
  'node:vm': { Script: CachedScript },
  'node:sea': {
    isSea: () => false,
    getRawAsset: (name: string) =>
      name.endsWith('.cache') ? [] : readFileSync(join(directory, `${name}.cjs`)),
  },
};
// Init goes on after what it has no handler for: here nobody would notice.
process.on('uncaughtException', (error) => {
  console.error(error);
  process.exit(1);
});

const loader: Loader = {};
const source = readFileSync(join(repository, 'src/loader.cjs'), 'utf8');
new Function('require', 'exports', source)((id: string) => inExecutable[id] ?? require(id), loader);

const runs = ground === undefined ? anywhere : bootThatMounts(ground);
for (const argv of runs) {
  const status = await loader.boot?.main(['', ...argv], 0);
  // What comes after a failure would not be in the cache, and nobody would notice but the clock.
  if (argv[0] === '/init' && status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
}
for (const [name, script] of scripts)
  writeFileSync(join(directory, `${name}.cache`), script.createCachedData());
process.exit(0);
