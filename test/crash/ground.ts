import { existsSync, lstatSync } from 'node:fs';
import { readValidPaths, type ValidPaths } from '../harness/nixDatabase.ts';
import { type ImageName, makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { installCommands } from '../harness/packages.ts';
import { type Scenario, use } from './scenarios.ts';

/** A machine whose volume can be put back to where a scenario begins, as often as there are calls to be hit. */
export interface CrashGround extends AsyncDisposable {
  nix: NixMachine;
  /** Puts the volume back, and boots what goes before. */
  begin(scenario: Scenario): Promise<void>;
  /** The next boots are of this image; a container goes on while nothing else is asked for. */
  image(name: ImageName): Promise<void>;
  /** What the volume's database says; before a first boot, what the image's does. */
  validPaths(image: ImageName): ValidPaths;
  /** Of some valid paths those that are there with all that they refer to, in an image or on the volume. */
  whole(paths: ValidPaths, image: ImageName): string[];
}

/** What else a seeding can come across in an image. */
const decorate = `
cd images/A/var/nix/profiles
echo twin >twin-a
ln twin-a twin-b
setfattr -n user.note -v kept twin-a`;

export async function makeCrashGround(): Promise<CrashGround> {
  const nix = await makeNixMachine({ size: '256M' });
  const { machine } = nix;
  let current: ImageName = 'A';
  const image = async (name: ImageName): Promise<void> => {
    if (name !== current) await nix.switchImage(name);
    current = name;
  };
  try {
    await installCommands({ setfattr: 'attr' });
    await machine.shell(decorate);
    // A container of the image as it is now.
    await nix.switchImage(current);
    await nix.nix(use);
    await machine.shell('mkdir -p volumes/new; cp -a nix-cache volumes/used');
  } catch (error) {
    await nix[Symbol.asyncDispose]();
    throw error;
  }
  return {
    nix,
    image,
    async begin({ volume, before }) {
      // cp -a: whiteouts and overlayfs's own attributes too.
      await machine.shell(`find nix-cache -mindepth 1 -delete; cp -a volumes/${volume}/. nix-cache`);
      for (const name of volume === 'used' ? before : []) {
        await image(name);
        await nix.nix('true');
      }
    },
    validPaths(name) {
      const volume = machine.path('/nix-cache/var/nix');
      return readValidPaths(existsSync(volume) ? volume : machine.path(`/images/${name}/var/nix`));
    },
    whole(paths, name) {
      const isThere = (path: string): boolean => {
        const base = path.replace(/^\/nix\/store/, '');
        const below = machine.path(`/images/${name}/store${base}`);
        const above = lstatSync(machine.path(`/nix-cache/upper${base}`), { throwIfNoEntry: false });
        return above === undefined ? existsSync(below) : !above.isCharacterDevice() || existsSync(below);
      };
      const isWhole = (path: string, seen = new Set<string>()): boolean => {
        if (seen.has(path)) return true;
        seen.add(path);
        const references = paths.get(path)?.references ?? [];
        return isThere(path) && references.every((reference) => isWhole(reference, seen));
      };
      return [...paths.keys()].filter((path) => isWhole(path));
    },
    [Symbol.asyncDispose]: () => nix[Symbol.asyncDispose](),
  };
}
