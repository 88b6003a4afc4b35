// Takes the bundle's code cache after its functions have run: `node code-cache.ts BUNDLE CACHE`.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

type Program = { main(argv: readonly string[]): Promise<number> };
type Wrapper = (
  exports: Partial<Program>,
  require: NodeJS.Require,
  module: { exports: Partial<Program> },
) => void;

const [, , bundle = '', cache = ''] = process.argv;
const script = new Script(readFileSync(bundle, 'latin1'), { filename: 'nix-cache-init.cjs' });
const program: { exports: Partial<Program> } = { exports: {} };
const wrapper: Wrapper = script.runInThisContext();
wrapper(program.exports, createRequire(import.meta.url), program);

// What can be run anywhere and changes nothing: no volume, no privilege (taking one away needs src/native), no daemon.
const runs = [
  ['/init', '--strategy', 'none', '--daemon-enabled', 'no', '--capabilities', 'keep', '--', '/bin/true'],
  ['nix-cache-init', 'plan', '--strategy', 'overlay', '--json'],
];
for (const argv of runs) {
  const status = await program.exports.main?.(['', ...argv]);
  // What comes after a failure would not be in the cache, and nobody would notice but the clock.
  if (argv[0] === '/init' && status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
}
writeFileSync(cache, script.createCachedData());
process.exit(0);
