import { lstatSync } from 'node:fs';
import type { Finding } from './findings.ts';
import { parseSha256 } from './hash.ts';
import { type NixContext, requireNix, runNix } from './nix.ts';
import type { RowSays } from './records.ts';

/** A path whose contents are to be compared with what its row says. */
export type Candidate = { path: string; file: string; says: RowSays };

export type ContentsRequest = NixContext & {
  candidates: readonly Candidate[];
  /** Called with the bytes that were read so far, and those in all. */
  onProgress: (done: number, total: number) => void;
};

/** What one run of nix-hash is given: enough to make starting it cheap, little enough for progress to be seen. */
const BATCH_PATHS = 100;
const BATCH_BYTES = 64 * 1024 * 1024;

/**
 * Compares the contents of paths with their rows. Nix itself does the hashing: of its archive format, whatever a path is.
 * @returns those that differ.
 * @throws {InitError} 78 where there is no Nix.
 */
export async function findModified({
  candidates,
  onProgress,
  ...context
}: ContentsRequest): Promise<Finding[]> {
  if (candidates.length === 0) return [];
  const program = requireNix('nix-hash', context);
  const total = sizeOf(candidates);
  const findings: Finding[] = [];
  let done = 0;
  for (const batch of batches(candidates)) {
    const hashes = await hashFiles(program, batch, context);
    for (const [index, { path, file, says }] of batch.entries()) {
      const detail = differs(hashes[index], says, file);
      if (detail !== undefined) findings.push({ kind: 'modified', path, detail });
    }
    done += sizeOf(batch);
    onProgress(done, total);
  }
  return findings;
}

const sizeOf = (candidates: readonly Candidate[]): number =>
  candidates.reduce((sum, { says }) => sum + says.narSize, 0);

function* batches(candidates: readonly Candidate[]): Generator<Candidate[]> {
  let batch: Candidate[] = [];
  for (const candidate of candidates) {
    batch.push(candidate);
    if (batch.length < BATCH_PATHS && sizeOf(batch) < BATCH_BYTES) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The hashes of the files, or why there is none. One that cannot be read ends nix-hash; alone it does not take others along. */
async function hashFiles(
  program: string,
  batch: readonly Candidate[],
  context: NixContext,
): Promise<(string | Error)[]> {
  const files = batch.map(({ file }) => file);
  const output = await runNix(program, ['--type', 'sha256', ...files], context);
  if (typeof output === 'string') return output.trim().split('\n');
  if (batch.length === 1) return [output];
  const single: (string | Error)[] = [];
  for (const one of batch) single.push(...(await hashFiles(program, [one], context)));
  return single;
}

/** What is wrong, for people. A path that has gone meanwhile was collected, or is another check's to find. */
function differs(hash: string | Error | undefined, says: RowSays, file: string): string | undefined {
  if (typeof hash === 'string') {
    const wanted = parseSha256(says.hash);
    if (wanted === undefined) return `its row has no hash that could be compared: ${says.hash}`;
    return hash === wanted ? undefined : `its contents are not those of its hash, but of sha256:${hash}`;
  }
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  return `its contents cannot be read: ${hash?.message ?? 'nix-hash did not say why'}`;
}
