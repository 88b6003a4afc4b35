import { basename } from 'node:path';
import { init } from './init.ts';

export { exitNow } from './linux/exit.ts';

/**
 * The program under its two names: /init is `nix-cache-init run`, told apart by the name it was called by.
 * Started by src/loader.cjs.
 * @param argv as `process.argv` has it.
 */
export async function main([, name = '', ...args]: readonly string[]): Promise<number> {
  if (basename(name) !== 'nix-cache-init') return init(args);
  const { cli } = await import('./cli.ts');
  return cli(args);
}
