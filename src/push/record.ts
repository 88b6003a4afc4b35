import { appendFile, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { CacheUri } from '../config/cache-uri.ts';
import { hasErrno } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { replaceFileLater } from '../linux/replace.ts';
import { hashPart } from './source.ts';

const FORMAT = 1;

/** As long as any file system takes names (NAME_MAX), and more than enough. */
const NAME_HEX = 32;

/** Where it is noted what was pushed to a cache: by the cache, not by who pushes. */
export function recordFile(directory: string, { identity }: CacheUri): string {
  const { hash } = process.getBuiltinModule('node:crypto');
  return `${directory}/${hash('sha256', identity, 'hex').slice(0, NAME_HEX)}`;
}

/**
 * What a cache is known to have: a line that says which cache, and one for each path. Lines are only added, each whole or, where a
 * kill cut it off, no path's name: that one is asked for again, and the cache has it. So two may add at a time, too.
 */
export class PushRecord {
  readonly #file: string;
  readonly #to: CacheUri;

  constructor(directory: string, to: CacheUri) {
    this.#file = recordFile(directory, to);
    this.#to = to;
  }

  /** @returns the hash parts of the paths. */
  async read(): Promise<Set<string>> {
    const [first, ...lines] = (await this.#text()).split('\n');
    if (first !== this.#heading) return new Set();
    // What follows the last line end was cut off.
    return new Set(lines.slice(0, -1).map(hashPart).filter(Boolean));
  }

  /**
   * Notes paths. A volume that does not take that is no reason not to push: then the cache is asked once more.
   * @returns whether it took it.
   */
  async note(paths: readonly string[]): Promise<boolean> {
    try {
      await this.#add(paths);
      return true;
    } catch (error) {
      if (hasErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT')) return false;
      throw error;
    }
  }

  async #add(paths: readonly string[]): Promise<void> {
    const text = await this.#text();
    const known = text.startsWith(`${this.#heading}\n`);
    if (!known) {
      makeDirectories(dirname(this.#file), 0o755);
      await replaceFileLater(this.#file, `${this.#heading}\n`, () => true);
    }
    // Not after half a line.
    const gap = known && !text.endsWith('\n') ? '\n' : '';
    await appendFile(this.#file, `${gap}${paths.map((path) => `${basename(path)}\n`).join('')}`);
  }

  get #heading(): string {
    return JSON.stringify({ format: FORMAT, to: this.#to.shown });
  }

  async #text(): Promise<string> {
    try {
      return await readFile(this.#file, 'utf8');
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return '';
      throw error;
    }
  }
}
