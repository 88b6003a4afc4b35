import { type Container, execOk } from './container.ts';

// A container sees the volume itself too, beside the overlay: what is really in upper/.

/** What in upper/ hides something of the image, at any depth; relative to it. */
export function whiteouts(container: Container): Promise<string[]> {
  return findInUpper(container, '-type', 'c');
}

/** The store paths in upper/: what was added, and copies of the image's. */
export async function upperPaths(container: Container): Promise<string[]> {
  const depth = ['-mindepth', '1', '-maxdepth', '1'];
  const names = await findInUpper(container, ...depth, '-name', '*-*', '-not', '-type', 'c');
  return names.map((name) => `/nix/store/${name}`);
}

/** Bytes on the disk by name in upper/; `.`: in all. */
export async function upperUsage(container: Container): Promise<Record<string, number>> {
  const du = 'cd /nix-cache/upper; du --block-size=1 --all --max-depth=1';
  const lines = (await execOk(container, 'sh', '-euc', du)).split('\n').map((line) => line.split('\t'));
  return Object.fromEntries(lines.map(([size, name = '']) => [name.replace('./', ''), Number(size)]));
}

async function findInUpper(container: Container, ...which: string[]): Promise<string[]> {
  const found = await execOk(container, 'find', '/nix-cache/upper', ...which, '-printf', '%P\\n');
  return found.split('\n').filter((path) => path !== '');
}
