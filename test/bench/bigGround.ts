import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BigImages, makeBigImages } from '../harness/bigImage.ts';
import { makeWorkspace, type Workspace } from '../harness/workspace.ts';

/** What measurements share because it takes long to make, made when it is first asked for. */
export interface BigGround extends AsyncDisposable {
  images(rows: number): Promise<BigImages>;
  /** A directory of one's own on the disk. */
  directory(name: string): Promise<string>;
}

export function openBigGround(): BigGround {
  let workspace: Promise<Workspace> | undefined;
  const made = new Map<number, Promise<BigImages>>();
  const directory = async (name: string): Promise<string> => {
    workspace ??= makeWorkspace();
    const path = join((await workspace).path, name);
    await mkdir(path);
    return path;
  };
  return {
    directory,
    images(rows) {
      const images = made.get(rows) ?? directory(`images-${rows}`).then((path) => makeBigImages(path, rows));
      made.set(rows, images);
      return images;
    },
    async [Symbol.asyncDispose]() {
      if (workspace !== undefined) await (await workspace)[Symbol.asyncDispose]();
    },
  };
}
