import { mkdir, mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installCommands } from './packages.ts';
import { run, runOk } from './run.ts';

const overlayMagic = 0x794c7630;

export interface Workspace extends AsyncDisposable {
  path: string;
}

/** A temporary directory on which overlays can be laid: where /tmp is itself an overlay, a file system in a file. */
export async function makeWorkspace(): Promise<Workspace> {
  await installCommands({ umount: 'mount' });
  const top = await mkdtemp(join(tmpdir(), 'nix-cache-init-'));
  const workspace = { path: top, [Symbol.asyncDispose]: () => removeTree(top) };
  try {
    if ((await statfs(top)).type === overlayMagic) workspace.path = await mountFile(top);
    return workspace;
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
}

/** Unmounts what is mounted below, deepest first, then removes: never through a mount that is still there. */
export async function removeTree(top: string): Promise<void> {
  for (const point of (await mountPointsBelow(top)).reverse()) {
    const { exitCode } = await run('umount', [point]);
    if (exitCode !== 0) await run('umount', ['--lazy', point]);
  }
  const left = await mountPointsBelow(top);
  if (left.length > 0) throw new Error(`still mounted: ${left.join(' ')}`);
  await rm(top, { recursive: true, force: true });
}

async function mountPointsBelow(top: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const points = lines.map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point === top || point.startsWith(`${top}/`));
}

async function mountFile(top: string): Promise<string> {
  await installCommands({ 'mkfs.ext4': 'e2fsprogs' });
  const file = join(top, 'ext4');
  const path = join(top, 'mounted');
  await mkdir(path);
  await runOk('truncate', ['--size', '20G', file]);
  await runOk('mkfs.ext4', ['-q', file]);
  await runOk('mount', ['-o', 'loop', file, path]);
  return path;
}
