import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCommands, installCommands } from './packages.ts';
import { repository, rootfs } from './paths.ts';
import { runOk } from './run.ts';

const sources = [
  'src',
  ...['build.ts', 'bundle.ts', 'code-cache.ts', 'man-page.ts', 'warm-ground.sh', 'warm-runs.ts'].map(
    (name) => `tools/${name}`,
  ),
  'rootfs',
  'package-lock.json',
];

/** What `npm run build` makes, made again only when something it is made of is younger. */
export async function ensureDist(): Promise<void> {
  if (process.env['NCI_TEST_ROOTFS'] !== undefined) return;
  if (existsSync(rootfs) && (await newest(sources)) < (await newest([rootfs]))) return;
  // Here and not only in the build, whose output is not shown.
  await installCommands(buildCommands);
  console.log('Building dist/rootfs');
  await runOk(process.execPath, ['--disable-warning=ExperimentalWarning', 'tools/build.ts'], {
    cwd: repository,
  });
}

let fingerprint: Promise<string> | undefined;

/** Changes whenever a file of the build does, so that an image is never older than what it claims to test. */
export function distFingerprint(): Promise<string> {
  fingerprint ??= readFingerprint();
  return fingerprint;
}

async function readFingerprint(): Promise<string> {
  const hash = createHash('sha256').update(rootfs);
  for (const file of (await filesBelow(rootfs)).sort()) {
    const { size, mtimeMs, mode } = statSync(file);
    hash.update(`${file} ${size} ${mtimeMs} ${mode}\n`);
  }
  return hash.digest('hex').slice(0, 12);
}

async function newest(paths: string[]): Promise<number> {
  const times: number[] = [];
  for (const path of paths) {
    const full = path.startsWith('/') ? path : join(repository, path);
    if (!existsSync(full)) continue;
    const files = statSync(full).isDirectory() ? await filesBelow(full) : [full];
    times.push(...files.map((file) => statSync(file).mtimeMs));
  }
  return Math.max(0, ...times);
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
