import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { baseTarball } from './base.ts';
import { dockerOk } from './docker.ts';
import { changes, image, product } from './images.ts';
import { runOk } from './run.ts';
import { makeWorkspace } from './workspace.ts';

/** One static busybox and nothing else. */
export async function scratchImage(): Promise<string> {
  return await product('scratch', await importRoot('scratch-root', async () => {}));
}

/** An Alpine-like root: musl is its only C library, at Alpine's path. */
export async function muslImage(): Promise<string> {
  return await product('musl', await importRoot('musl-root', addMusl));
}

async function importRoot(
  name: string,
  add: (debian: string, root: string) => Promise<void>,
): Promise<string> {
  return await image(name, 'root', async (tag) => {
    await using workspace = await makeWorkspace();
    const [debian, root] = [join(workspace.path, 'debian'), join(workspace.path, 'root')];
    await mkdir(debian);
    await mkdir(join(root, 'bin'), { recursive: true });
    const members = ['--wildcards', './usr/bin/busybox', './usr/lib/*-linux-musl/libc.so'];
    await runOk('tar', ['-C', debian, '-xf', await baseTarball('trixie'), ...members]);
    await cp(join(debian, 'usr/bin/busybox'), join(root, 'bin/busybox'));
    await symlink('busybox', join(root, 'bin/sh'));
    await add(debian, root);
    const tarball = join(workspace.path, 'root.tar');
    await runOk('tar', ['-C', root, '--owner=0', '--group=0', '-cf', tarball, '.']);
    await dockerOk('import', ...changes(), tarball, tag);
  });
}

async function addMusl(debian: string, root: string): Promise<void> {
  const machine = (await runOk('uname', ['-m'])).trim();
  await mkdir(join(root, 'lib'));
  await cp(join(debian, `usr/lib/${machine}-linux-musl/libc.so`), join(root, `lib/ld-musl-${machine}.so.1`));
}
