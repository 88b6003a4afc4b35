import { basename } from 'node:path';
import { init } from './init.ts';

export { exitNow } from './linux/exit.ts';

/**
 * The program under its names, told apart by the one it was called by: /init is `nix-cache-init run`; `remount` and
 * `post-build-hook` are for Nix, whose hooks have no arguments of their own.
 * Started by src/loader.cjs.
 * @param argv as `process.argv` has it.
 * @param loading when Node was done and began to load this, in milliseconds of its uptime.
 */
export async function main([, name = '', ...args]: readonly string[], loading: number): Promise<number> {
  const called = basename(name);
  if (called === 'post-build-hook') {
    const { postBuildHook } = await import('./binary-cache/hook.ts');
    return postBuildHook(name);
  }
  if (called !== 'nix-cache-init' && called !== 'remount') return init(args, loading);
  const { cli } = await import('./cli.ts');
  return cli(called === 'remount' ? [called, ...args] : args, loading);
}
