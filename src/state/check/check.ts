import { lstatSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { hasSysAdmin } from '../../linux/capabilities.ts';
import { volumeLayout } from '../../volume/layout.ts';
import { readManifest } from '../../volume/manifest.ts';
import { databaseFile, explainDatabase, isDamage } from '../database.ts';
import { layersIdentity, layersLooks } from '../identity.ts';
import { recall } from '../reconcile/remembered.ts';
import { repairRemedy } from '../reconcile/update.ts';
import { type Candidate, findModified } from './contents.ts';
import { compare, type Finding, inOrder } from './findings.ts';
import { contentsOf, listNames, type Names, namesIn } from './names.ts';
import type { NixContext } from './nix.ts';
import { describePlaces, isOnVolume, type Places, visibleStore } from './places.ts';
import { type ImageRecords, type Records, readImage, readRecords } from './records.ts';
import { scratchPlaces, withScratch } from './scratch.ts';

export type CheckRequest = NixContext & {
  places: Places;
  /** Whether to compare the contents of a path, by its name, with its hash. */
  contents: (name: string) => boolean;
  onProgress: (done: number, total: number) => void;
};

export type Report = {
  /** What was looked at. */
  looked: string;
  /** How many paths are valid. */
  valid: number;
  findings: Finding[];
  /** Whether the volume's state is of this image; if not, the next boot sees to that. */
  inStep: boolean;
  /** Paths on the volume that no row knows: what Nix's garbage collection will free. */
  garbage: string[];
  /** Such whose rows wait for an image with which they are whole. */
  waiting: string[];
  /** What else a reader should know. */
  notes: string[];
};

/**
 * Compares the database, the layers of the store and, if asked, the contents.
 * @throws {InitError} 78 where contents cannot be hashed; a failed system call when it cannot look.
 */
export async function checkStore(request: CheckRequest): Promise<Report> {
  const { places } = request;
  const empty = { looked: describePlaces(places), valid: 0, inStep: true, garbage: [], waiting: [] };
  try {
    return await withScratch(scratchPlaces(places), async (scratch) => {
      // First, so that a path that is made meanwhile is garbage, which is no fault, and never a row without a path.
      const records = readRecords(places, scratch);
      const image = readImageOrNote(places, scratch);
      const report = await compareAll(request, records, image);
      return { ...empty, ...report, valid: records.rows.size };
    });
  } catch (error) {
    if (!isDamage(error)) throw explainDatabase(error, databaseFile(places.stateDir));
    const corrupt: Finding = { kind: 'corrupt', path: databaseFile(places.stateDir), detail: error.message };
    const how = isOnVolume(places)
      ? 'check --repair saves what can be saved'
      : `to save what can be: ${repairRemedy}`;
    return { ...empty, findings: [corrupt], notes: places.volume === undefined ? [] : [how] };
  }
}

/** A damaged database of an image is the image's affair, and hides nothing of the volume's. */
function readImageOrNote(places: Places, scratch: string): ImageRecords & { note?: string } {
  try {
    return readImage(places, `${scratch}/image`);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const note = `the image's own database cannot be read (${error.message}): use another image`;
    return { image: new Set(), whole: new Set(), note };
  }
}

async function compareAll(
  request: CheckRequest,
  records: Records,
  image: ImageRecords & { note?: string },
): Promise<Omit<Report, 'looked' | 'valid'>> {
  const { places } = request;
  const names = listNames(places, visibleMarks(places));
  const compared = compare({ ...records, ...image, waiting: waitingNames(places) }, names, places.storeDir);
  const findings = await stillThere(compared.findings, places, records);
  const gone = new Set(findings.map(({ path }) => basename(path)));
  const present = [...records.rows].filter(([name]) => !gone.has(name) && request.contents(name));
  const candidates = present.map(([name, says]) => candidate(places, names, name, says));
  findings.push(...(await findModified({ ...request, candidates })));
  const inStep = await isInStep(places);
  const notes = [
    ...(image.note === undefined ? [] : [image.note]),
    ...(inStep ? [] : ['the volume is not in step with this image yet: the next boot brings it there']),
  ];
  return { ...compared, findings: inOrder(findings), inStep, notes };
}

const candidate = (places: Places, names: Names, name: string, says: Candidate['says']): Candidate => ({
  path: `${places.storeDir}/${name}`,
  file: contentsOf(places, name, names),
  says,
});

/** Where overlayfs keeps its marks on this volume. Those in `trusted.*` are only shown to who has CAP_SYS_ADMIN. */
function visibleMarks({ volume }: Places): 'trusted' | 'user' | undefined {
  if (volume === undefined) return undefined;
  const marks = readManifest(volumeLayout(volume.root).manifest)?.xattrs ?? 'trusted';
  return marks === 'user' || hasSysAdmin(readFileSync('/proc/self/status', 'latin1')) ? marks : undefined;
}

function waitingNames({ volume }: Places): Set<string> {
  if (volume === undefined) return new Set();
  const rows = recall(volumeLayout(volume.root).remembered, volume.upper);
  return new Set(rows.map(({ path }) => basename(path)));
}

/** Nix may have collected a path between our looking at its row and our looking for it. */
async function stillThere(findings: Finding[], places: Places, { rows }: Records): Promise<Finding[]> {
  if (places.kind === 'volume' || !findings.some(({ kind }) => kind === 'missing')) return findings;
  const now = await withScratch(scratchPlaces(places), async (scratch) => readRecords(places, scratch));
  return findings.filter(({ kind, path }) => {
    const name = basename(path);
    return (
      kind !== 'missing' ||
      (rows.get(name)?.hash === now.rows.get(name)?.hash && !exists(`${visibleStore(places)}/${name}`))
    );
  });
}

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Before the first boot with another image, what differs is what that boot will bring in step. */
async function isInStep({ kind, volume }: Places): Promise<boolean> {
  if (kind !== 'volume' || volume === undefined) return true;
  const manifest = readManifest(volumeLayout(volume.root).manifest);
  const layers = [volume.image, ...volume.lowers];
  const looks = layersLooks(layers);
  if (manifest?.imageStat != null && manifest.imageStat === looks) return true;
  const names = layers.map(({ storeDir }) => namesIn(storeDir));
  return manifest?.imageIdentity === (await layersIdentity(layers, looks, names, manifest?.layers)).identity;
}
