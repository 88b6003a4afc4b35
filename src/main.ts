import { basename } from 'node:path';
import { init } from './init.ts';
import { exitNow } from './linux/exit.ts';

// One program under two names: /init is `nix-cache-init run`, told apart by the name it was called by.
const [, name = '', ...args] = process.argv;

async function main(): Promise<number> {
  if (basename(name) !== 'nix-cache-init') return init(args);
  const { cli } = await import('./cli.ts');
  return cli(args);
}

main().then(exitNow);
