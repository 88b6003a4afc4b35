import { basename } from 'node:path';
import { init } from './init.ts';

export { exitNow } from './linux/exit.ts';

/**
 * The program under its names: /init is `nix-cache-init run`, told apart by the name it was called by; Nix calls it by a third.
 * Started by src/loader.cjs.
 * @param argv as `process.argv` has it.
 */
export async function main([, name = '', ...args]: readonly string[]): Promise<number> {
  if (basename(name) === 'post-build-hook') {
    const { postBuildHook } = await import('./binary-cache/hook.ts');
    return postBuildHook(name);
  }
  if (basename(name) !== 'nix-cache-init') return init(args);
  const { cli } = await import('./cli.ts');
  return cli(args);
}
