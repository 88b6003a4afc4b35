import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { installCommands } from './packages.ts';
import { runOk } from './run.ts';

/**
 * Everything about a tree that a faithful copy has in common with it, by path; for assert.deepEqual.
 * @param leaveOut paths relative to the root.
 */
export async function snapshotTree(root: string, leaveOut: string[] = []): Promise<Record<string, string>> {
  const entries = visitTree(root, leaveOut, (path, stat) => (stat.isFile() ? digest(path) : ''));
  for (const [path, attributes] of await extendedAttributes(root)) {
    if (entries[path] !== undefined) entries[path] += ` ${attributes}`;
  }
  return entries;
}

/** As `snapshotTree`, without what takes reading: sizes instead of contents, and no extended attributes. */
export function outlineTree(root: string, leaveOut: string[] = []): Record<string, string> {
  return visitTree(root, leaveOut, (_, stat) => (stat.isFile() ? `${stat.size}` : ''));
}

/** What nobody can write to a tree without changing: inodes, times of change, contents. */
export function everythingOf(root: string): Record<string, string> {
  return visitTree(
    root,
    [],
    (path, stat) => `${stat.ino} ${stat.ctimeNs} ${stat.isFile() ? digest(path) : ''}`,
  );
}

const digest = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16);

type Describe = (path: string, stat: BigIntStats) => string;

function visitTree(root: string, leaveOut: string[], contents: Describe): Record<string, string> {
  const entries: Record<string, string> = {};
  const firstNames = new Map<bigint, string>();
  const visit = (path: string): void => {
    if (leaveOut.includes(path)) return;
    const full = `${root}/${path}`;
    const stat = lstatSync(full, { bigint: true });
    const shared = stat.isFile() && stat.nlink > 1n ? ` twin of ${firstNames.get(stat.ino) ?? 'none'}` : '';
    firstNames.set(stat.ino, path);
    const content = stat.isSymbolicLink() ? readlinkSync(full) : contents(full, stat);
    entries[path] = `${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.mtimeNs} ${content}${shared}`;
    if (stat.isDirectory())
      for (const name of readdirSync(full).sort()) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return entries;
}

async function extendedAttributes(root: string): Promise<[string, string][]> {
  await installCommands({ getfattr: 'attr' });
  const dump = await runOk('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '--absolute-names', root]);
  return dump.split('\n\n').flatMap((block) => {
    const [head = '', ...attributes] = block.split('\n').filter((line) => line !== '');
    const path = head.replace(`# file: ${root}`, '').replace(/^\//, '');
    return attributes.length === 0 ? [] : [[path, attributes.sort().join(' ')] as [string, string]];
  });
}
