import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseRoot, type Suite } from './base.ts';
import { runOn } from './hostNix.ts';
import { fencedBlocks } from './markdown.ts';
import { type Machine, makeMachine } from './namespaceMachine.ts';
import { installCommands } from './packages.ts';
import { fixtures, repository, rootfs } from './paths.ts';
import { runOk } from './run.ts';

/**
 * A machine with a real Nix, our flake at /flake, at /cases what stands in for nixpkgs, at /users what docs/nix.md has users write, at
 * /product dist/rootfs.
 */
export interface FlakeMachine extends AsyncDisposable {
  machine: Machine;
  /** Runs a shell script in it; what it says. */
  run(script: string): Promise<string>;
}

/** What of the repository a flake's user gets, as far as it is needed. */
const sources = [
  ...['flake.nix', 'nix', 'package.json', 'package-lock.json', '.npmrc', 'LICENSE'],
  ...['rootfs', 'src', 'tools', 'test/harness'],
];

export async function makeFlakeMachine(suite: Suite): Promise<FlakeMachine> {
  const made = new AsyncDisposableStack();
  try {
    await installCommands({ patchelf: 'patchelf' });
    const store = mkdtempSync(join(tmpdir(), 'nix-cache-init-flake-'));
    made.defer(() => rmSync(store, { recursive: true, force: true }));
    const machine = made.use(await makeMachine({ volume: 'none', base: await baseRoot(suite) }));
    mkdirSync(join(store, 'store'));
    mkdirSync(join(store, 'var/nix'), { recursive: true });
    const patchelf = (await runOk('sh', ['-c', 'command -v patchelf'])).trim();
    await machine.shell(`mount --bind ${store} nix; mkdir -p etc/nix flake cases users tools/bin product
      mount --bind ${rootfs} product
      cp ${join(fixtures, 'nix/nix.conf')} etc/nix/nix.conf
      cp -R ${join(fixtures, 'flake')}/. cases
      cp ${patchelf} tools/bin/patchelf`);
    for (const source of sources)
      cpSync(join(repository, source), machine.path(`/flake/${source}`), {
        recursive: true,
        verbatimSymlinks: true,
      });
    const page = readFileSync(join(repository, 'docs/nix.md'), 'utf8');
    const [flake = '', module = ''] = fencedBlocks(page, 'nix').map(({ text }) => text);
    writeFileSync(machine.path('/users/flake.nix'), flake);
    writeFileSync(machine.path('/users/module.nix'), `{ nix-cache-init }: ${module}`);
    return {
      machine,
      run: (script) => runOn(machine, script),
      [Symbol.asyncDispose]: () => made.disposeAsync(),
    };
  } catch (error) {
    await made.disposeAsync();
    throw error;
  }
}
