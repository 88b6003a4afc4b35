import { basename } from 'node:path';
import { init } from './init.ts';

export { exitNow } from './linux/exit.ts';

/**
 * The program under its names, told apart by the one it was called by: /init is `nix-cache-init run`, and `remount` the command
 * of that name, for Nix, whose hooks have no arguments of their own.
 * Started by src/loader.cjs.
 * @param argv as `process.argv` has it.
 */
export async function main([, name = '', ...args]: readonly string[]): Promise<number> {
  const called = basename(name);
  if (called !== 'nix-cache-init' && called !== 'remount') return init(args);
  const { cli } = await import('./cli.ts');
  return cli(called === 'remount' ? [called, ...args] : args);
}
