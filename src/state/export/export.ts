import { lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Exit, InitError } from '../../errors.ts';
import { findModified } from '../check/contents.ts';
import type { NixContext } from '../check/nix.ts';
import { closureOf } from './closure.ts';
import { type LayOut, layOut } from './lay-out.ts';

export type ExportRequest = Omit<NixContext, 'stage'> &
  Pick<LayOut, 'to' | 'storeDir' | 'realStoreDir'> & {
    paths: readonly string[];
    onProgress: (what: 'copying' | 'verifying', done: number, total: number) => void;
  };

export type Exported = { to: string; paths: string[]; bytes: number };

/**
 * Lays the closure of paths out as a root file system, and compares what was written with what Nix knows of it.
 * @throws {InitError} 64 for paths that are not valid, and for a directory with something in it; 74 where the copy differs.
 */
export async function exportClosure(request: ExportRequest): Promise<Exported> {
  const { to, storeDir, realStoreDir, signal, onProgress } = request;
  const context: NixContext = { env: request.env, signal, stage: 'export' };
  const rows = await closureOf(request.paths, context);
  const paths = [...rows.keys()].sort();
  for (const path of paths) requireThere(path, storeDir, realStoreDir);
  await layOut({
    to,
    storeDir,
    realStoreDir,
    names: new Set(paths.map((path) => basename(path))),
    onProgress: (done, total) => {
      signal.throwIfAborted();
      onProgress('copying', done, total);
    },
    verify: async (store) => {
      // What was collected while it was copied is missing from the copy, too.
      for (const path of paths) requireThere(path, storeDir, store);
      const candidates = [...rows].map(([path, says]) => ({
        path,
        file: `${store}/${basename(path)}`,
        says,
      }));
      const progress = (done: number, total: number): void => onProgress('verifying', done, total);
      const [wrong] = await findModified({ ...context, candidates, onProgress: progress });
      if (wrong !== undefined) throw differs(wrong.path, wrong.detail);
    },
  });
  const bytes = [...rows.values()].reduce((sum, { narSize }) => sum + narSize, 0);
  return { to, paths, bytes };
}

function requireThere(path: string, storeDir: string, realStoreDir: string): void {
  const file = `${realStoreDir}/${basename(path)}`;
  const there = dirname(path) === storeDir && lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  if (there) return;
  throw new InitError({
    stage: 'export',
    what: `Nix said ${path} is valid, but ${file} is not there`,
    errno: 'ENOENT',
    remedy: 'set strategy, cacheDir and storeDir as they are for the store; nix-cache-init check tells more',
    exitCode: Exit.config,
  });
}

const differs = (path: string, detail: string): InitError =>
  new InitError({
    stage: 'export',
    what: `${path} was not exported: ${detail}`,
    errno: 'EIO',
    remedy: 'nix-cache-init check --contents tells whether the path itself is whole',
    exitCode: Exit.io,
  });
