import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { baseTarball } from './base.ts';
import { fixtures, rootfs } from './paths.ts';
import { type Outcome, run, runOk } from './run.ts';
import { makeWorkspace } from './workspace.ts';

export interface Root extends AsyncDisposable {
  /** A directory beside the root file system, for volumes and the like. */
  makeDirectory(name: string): Promise<string>;
  /** Runs a command as PID 1 of new namespaces, on a throw-away layer over the root file system. */
  enter(volume: string, binaryCache: string, command: string[]): Promise<Outcome>;
}

/** Nix wants /proc, builds want /dev; both are gone with the namespace. */
const fillStore = `
mount -t proc proc $1/proc
mount --rbind /dev $1/dev
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot $1 sh /fixtures/make-store.sh
`;

/** What a Docker image would be, for machines without Docker: Debian with Nix, a store, `extra`, and our build. */
export async function makeNixRoot(extra: string): Promise<Root> {
  if (process.getuid?.() !== 0)
    throw new Error('namespaces with mounts of their own take root: run it as root');
  const workspace = await makeWorkspace();
  const root = join(workspace.path, 'root');
  try {
    await mkdir(root);
    await runOk('tar', ['-C', root, '-xf', await baseTarball('trixie'), '--exclude=./dev/*']);
    await cp(join(fixtures, 'nix'), join(root, 'fixtures'), { recursive: true });
    await runOk('unshare', ['--mount', '--pid', '--fork', '/bin/sh', '-euc', fillStore, 'sh', root]);
    await cp(extra, join(root, 'fixtures'), { recursive: true });
    await cp(rootfs, root, { recursive: true, verbatimSymlinks: true });
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
  return {
    async makeDirectory(name) {
      const path = join(workspace.path, name);
      await mkdir(path, { recursive: true });
      return path;
    },
    async enter(volume, binaryCache, command) {
      const layer = await mkdtemp(join(workspace.path, 'layer-'));
      const inside = [join(fixtures, 'enter.sh'), root, layer, volume, binaryCache, ...command];
      const apart = ['--mount', '--pid', '--fork', '--kill-child', '--ipc', '--uts', '--net'];
      const outcome = await run('unshare', [...apart, '/bin/sh', ...inside]);
      await rm(layer, { recursive: true, force: true });
      return outcome;
    },
    [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
  };
}
