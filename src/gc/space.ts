import type { SharedFile, Usage } from './walk.ts';

/**
 * What is freed as paths go one after the other: the blocks of a file with several names go with the last path that has it,
 * and stay where it has names elsewhere.
 */
export class Space {
  readonly #owners = new Map<SharedFile, number>();
  #bytes: number;

  /** @param bytes what all of it takes. */
  constructor(bytes: number, paths: Iterable<Usage>) {
    this.#bytes = bytes;
    for (const { shared } of paths)
      for (const file of shared) this.#owners.set(file, (this.#owners.get(file) ?? 0) + 1);
  }

  /** What is left. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a path away. @returns what that frees. */
  release({ bytes, shared }: Usage): number {
    let freed = bytes;
    for (const file of shared) {
      const left = (this.#owners.get(file) ?? 1) - 1;
      this.#owners.set(file, left);
      if (left === 0 && file.met === file.links) freed += file.bytes;
    }
    this.#bytes -= freed;
    return freed;
  }
}

/** What some paths take together, each file once. */
export function spaceOf(paths: Iterable<Usage>): number {
  const files = new Set<SharedFile>();
  let bytes = 0;
  for (const usage of paths) {
    bytes += usage.bytes;
    for (const file of usage.shared) files.add(file);
  }
  for (const file of files) bytes += file.bytes;
  return bytes;
}
