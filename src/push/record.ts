import { existsSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { CacheUri } from '../config/cache-uri.ts';
import { hasErrno } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';

/** As long as any file system takes names (NAME_MAX), and more than enough. */
const NAME_HEX = 32;

/** Where it is noted what was pushed to a cache: by the cache, not by who pushes. */
export function recordFile(directory: string, { identity }: CacheUri): string {
  const { hash } = process.getBuiltinModule('node:crypto');
  return `${directory}/${hash('sha256', identity, 'hex').slice(0, NAME_HEX)}`;
}

/**
 * What a cache is known to have: a line for each path, and one that tells people which cache. Lines are only added, all at once, so that
 * two may at a time. What a kill cut off is no path's line: that one is asked for again, and the cache has it.
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
    const lines = (await this.#text()).split('\n');
    // What follows the last line end was cut off.
    return new Set(lines.slice(0, -1).flatMap((line) => /^([a-z0-9]{32})-./.exec(line)?.[1] ?? []));
  }

  /**
   * Notes paths. A volume that does not take that is no reason not to push: then the cache is asked once more.
   * @returns whether it took it.
   */
  async note(paths: readonly string[]): Promise<boolean> {
    try {
      makeDirectories(dirname(this.#file), 0o755);
      // Whatever a kill has left before.
      const start = existsSync(this.#file) ? '\n' : `${JSON.stringify({ to: this.#to })}\n`;
      await appendFile(this.#file, `${start}${paths.map((path) => `${basename(path)}\n`).join('')}`);
      return true;
    } catch (error) {
      if (hasErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT')) return false;
      throw error;
    }
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
