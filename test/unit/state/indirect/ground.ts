import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { type MountInfo, parseMountInfo } from '../../../../src/linux/mountinfo.ts';
import { recordIndirectRoots, settleIndirectRoots } from '../../../../src/state/indirect/indirect.ts';
import type { RootPlaces } from '../../../../src/state/indirect/place.ts';
import { recordingLog, temporaryDirectory } from '../../fixtures.ts';

export const storePath = (letter: string): string => `/nix/store/${letter.repeat(32)}-${letter}`;

/** A state directory on a volume, a place for projects, and the mounts of a container that a test declares. */
export function makeGround() {
  const directory = temporaryDirectory();
  const base = directory.path;
  const work = `${base}/work`;
  const state = `${base}/state`;
  let mounts: MountInfo[] = [];
  let asked = 0;
  const places: RootPlaces = {
    state,
    stateDir: '/nix/var/nix',
    storeDir: '/nix/store',
    record: `${base}/roots.json`,
    mounts: () => {
      asked += 1;
      return mounts;
    },
  };
  mkdirSync(`${state}/gcroots/auto`, { recursive: true });
  const { log, lines } = recordingLog();
  const list = (dir: string): string[] => (existsSync(dir) ? readdirSync(dir).sort() : []);
  const ground = {
    ...{ places, log, lines, work, auto: `${state}/gcroots/auto`, absentDir: `${state}/gcroots/absent` },
    /** A project appears, with the links that it had: by name, where they lead. */
    mount(source: string, links: Record<string, string> = {}): void {
      ground.unmount();
      mkdirSync(work);
      for (const [name, target] of Object.entries(links)) symlinkSync(target, `${work}/${name}`);
      mounts = parseMountInfo(
        `1 0 0:1 / / rw - overlay o rw\n2 1 8:1 ${source} ${work} rw - ext4 /dev/sda1 rw`,
      );
    },
    unmount(): void {
      rmSync(work, { recursive: true, force: true });
      mounts = parseMountInfo('1 0 0:1 / / rw - overlay o rw');
    },
    /** What `nix-build -o` makes. */
    build(name: string, path: string): void {
      symlinkSync(path, `${work}/${name}`);
      rmSync(`${ground.auto}/of-${name}`, { force: true });
      symlinkSync(`${work}/${name}`, `${ground.auto}/of-${name}`);
    },
    /** What Nix's garbage collector does to links that lead to nothing. */
    collect(): void {
      for (const name of list(ground.auto)) {
        const path = `${ground.auto}/${name}`;
        if (lstatSync(readlinkSync(path), { throwIfNoEntry: false }) === undefined) rmSync(path);
      }
    },
    settle: () => settleIndirectRoots(places, log),
    record: () => recordIndirectRoots(places, log),
    /** What is directly rooted. */
    kept: (): string[] => list(ground.absentDir).map((name) => readlinkSync(`${ground.absentDir}/${name}`)),
    autoNames: (): string[] => list(ground.auto),
    text: (): string | undefined =>
      existsSync(places.record) ? readFileSync(places.record, 'utf8') : undefined,
    asked: () => asked,
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
  ground.unmount();
  return ground;
}
