import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { baseRoot } from './base.ts';
import { alone } from './lock.ts';
import { installCommands } from './packages.ts';
import { cacheDirectory, fixtures } from './paths.ts';
import { runOk } from './run.ts';

/** Drivers that Debian's kernel for clouds has as modules: for the disks, and for the store. */
const wanted = ['virtio_pci', 'virtio_blk', 'overlay'];

export interface GuestKernel {
  kernel: string;
  initramfs: string;
}

/** Debian's kernel for clouds, of this machine's own release, and an initramfs with what it takes to reach the root. */
export async function guestKernel(): Promise<GuestKernel> {
  await installCommands({ depmod: 'kmod', cpio: 'cpio' });
  const name = await packageName();
  const script = join(fixtures, 'guest/initramfs.sh');
  const place = join(cacheDirectory, 'kernels', name);
  const made = { kernel: join(place, 'vmlinuz'), initramfs: join(place, 'initramfs') };
  await alone('kernel', async () => {
    if (existsSync(made.initramfs)) return;
    console.log(`Unpacking ${name} (kept in .cache/ for the next time)`);
    const work = await mkdtemp(join(tmpdir(), 'nix-cache-init-kernel-'));
    try {
      await runOk('apt-get', ['download', '-q', name], { cwd: work });
      const [file = ''] = await readdir(work);
      await runOk('dpkg', ['-x', file, 'tree'], { cwd: work });
      await makeInitramfs(join(work, 'tree'), script, join(work, 'made'));
      await rm(dirname(place), { recursive: true, force: true });
      await mkdir(dirname(place), { recursive: true });
      await runOk('cp', ['-a', join(work, 'made'), `${place}.unfinished`]);
      await rename(`${place}.unfinished`, place);
    } finally {
      await rm(work, { recursive: true });
    }
  });
  return made;
}

async function packageName(): Promise<string> {
  const text = await runOk('apt-cache', ['depends', 'linux-image-cloud-amd64']);
  const name = /Depends: (linux-image-\S+)/.exec(text)?.[1];
  if (name === undefined) throw new Error(`no kernel in Debian's package lists:\n${text}`);
  return name;
}

async function makeInitramfs(tree: string, script: string, made: string): Promise<void> {
  const [version = ''] = await readdir(join(tree, 'lib/modules'));
  await runOk('depmod', ['-b', tree, version]);
  const modules = join(tree, 'lib/modules', version);
  const files = inOrder(await readFile(join(modules, 'modules.dep'), 'utf8'));
  const content = `${made}.d`;
  for (const name of ['bin', 'dev', 'proc', 'root']) await mkdir(join(content, name), { recursive: true });
  await copyFile(join(await baseRoot('trixie'), 'bin/busybox'), join(content, 'bin/busybox'));
  await copyFile(script, join(content, 'init'));
  await chmod(join(content, 'init'), 0o755);
  for (const file of files) await copyFile(join(modules, file), join(content, basename(file)));
  await writeFile(join(content, 'modules'), files.map((file) => `${basename(file)}\n`).join(''));
  await mkdir(made);
  await copyFile(join(tree, 'boot', `vmlinuz-${version}`), join(made, 'vmlinuz'));
  const pack = 'find . | cpio --quiet -o -H newc >"$1"';
  await runOk('sh', ['-euc', pack, 'sh', join(made, 'initramfs')], { cwd: content });
}

/** The wanted modules, each after those that it needs (modules.dep(5) names these from the last to the first). */
function inOrder(text: string): string[] {
  const needs = new Map(
    text.split('\n').map((line) => {
      const [file = '', rest = ''] = line.split(':');
      return [file, rest.trim().split(' ').filter(Boolean).reverse()] as const;
    }),
  );
  const found = wanted.flatMap((name) => {
    const file = [...needs.keys()].find((path) => basename(path).startsWith(`${name}.ko`));
    // Built into the kernel otherwise.
    return file === undefined ? [] : [...(needs.get(file) ?? []), file];
  });
  return [...new Set(found)];
}
