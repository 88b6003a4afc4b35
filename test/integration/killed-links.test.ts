import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readImageLinks } from '../../src/state/links/links.ts';
import { atGrowingDepth, sendAt } from '../harness/injection.ts';
import { type KillableMerge, merge } from '../harness/mergeLinks.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import { repository } from '../harness/paths.ts';
import { type Outcome, run } from '../harness/run.ts';
import { makeWorkspace } from '../harness/workspace.ts';

const calls = [
  'mkdir',
  'symlink',
  'rename',
  'unlink',
  'rmdir',
  'lchown',
  'chown',
  'chmod',
  'write',
  'fsync',
  'syncfs',
];
const at = (name: string): string => `/nix/store/${'0'.repeat(32)}-${name}`;

/** By image: one link each that stays, changes, comes and goes, a profile, and a directory. */
const images: Record<string, Record<string, string>> = {
  first: { default: 'default-1-link', 'default-1-link': at('a'), changing: at('a'), going: at('gone') },
  second: {
    default: 'default-2-link',
    ...{ 'default-1-link': at('b'), 'default-2-link': at('c'), changing: at('b') },
    ...{ 'per-user/root/channels': at('c') },
  },
  third: { default: 'default-1-link', 'default-1-link': at('d'), changing: at('a') },
};
const byUser = { 'default-2-link': at('user'), mine: at('user') };
/** What is in neither layer, by image. */
const gone: Record<string, string[]> = { second: ['gone'], third: ['gone', 'c'] };
/** Where the image's number is the user's, it gets another, and keeps following the image. */
const expected: Record<string, Record<string, string>> = {
  second: {
    ...byUser,
    ...{ default: 'default-3-link', 'default-1-link': at('b'), 'default-3-link': at('c'), changing: at('b') },
    ...{ 'per-user/root/channels': at('c') },
  },
  third: { ...byUser, default: 'default-1-link', 'default-1-link': at('d'), changing: at('a') },
};

namespaceTest(
  'killed at any system call of a merge of links, the next one ends as if nothing had been',
  async () => {
    await installCommands({ strace: 'strace' });
    await using workspace = await makeWorkspace();
    for (const [name, links] of Object.entries(images)) makeLinks(join(workspace.path, name), links);
    const volume = join(workspace.path, 'volume');
    const request = (image: string): KillableMerge => ({
      gone: (gone[image] ?? []).map((name) => basename(at(name))),
      from: join(workspace.path, image),
      to: join(volume, 'state'),
      ...{ storeDir: '/nix/store', stateDir: '/nix/var/nix', record: join(volume, 'own/links.json') },
    });
    for (const next of ['second', 'third']) {
      const hits = await atGrowingDepth(calls, async (call, n) => {
        rmSync(volume, { recursive: true, force: true });
        mkdirSync(join(volume, 'own'), { recursive: true });
        cpSync(join(workspace.path, 'first'), join(volume, 'state'), {
          recursive: true,
          verbatimSymlinks: true,
        });
        merge(request('first'));
        makeLinks(join(volume, 'state'), byUser);
        const killed = await mergeKilled(request('second'), call, n);
        merge(request(next));
        const where = `killed at call ${n} of ${call}, then ${next}`;
        assert.deepEqual(linksIn(join(volume, 'state')), expected[next], where);
        assert.deepEqual(readdirSync(join(volume, 'own')), ['links.json'], where);
        return killed;
      });
      assert.ok(hits > 20, `${hits}`);
    }
  },
);

function makeLinks(stateDir: string, links: Record<string, string>): void {
  for (const [name, target] of Object.entries(links)) {
    const path = join(stateDir, 'profiles', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  }
}

function linksIn(stateDir: string): Record<string, string> {
  return Object.fromEntries(
    [...readImageLinks(stateDir)].flatMap(([path, entry]) =>
      entry.kind === 'symlink' ? [[path.replace('profiles/', ''), entry.target]] : [],
    ),
  );
}

function mergeKilled(request: KillableMerge, call: string, n: number): Promise<Outcome> {
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', 'test/harness/mergeLinks.ts'];
  const script = `cd "$1"; shift; ${sendAt(call, n, 'KILL')}`;
  return run('sh', ['-c', script, 'sh', repository, ...program, JSON.stringify(request)]);
}
