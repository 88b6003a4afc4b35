import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { imageNames, type NixMachine } from '../harness/nixMachine.ts';
import { readRows } from './readRows.ts';
import type { Image, Package, Universe } from './universe.ts';

/** Asks Nix itself: builds every package on a volume that nobody sees again, and reads what it has noted. */
export async function readUniverse({ machine, nix }: NixMachine): Promise<Universe> {
  const images = new Map(imageNames.map((name) => [name, readImage(machine.path(`/images/${name}`))]));
  const listed: unknown = JSON.parse(await nix(`nix-build --no-out-link ${wanted} >&2; ${listPackages}`));
  const paths = readRows(machine.path('/nix-cache/var/nix'));
  return { images, packages: packagesOf(listed as Listed, paths), paths };
}

/** What images ship, and what users build on that; each in no time. */
const packages = [
  ...['a', 'b', 'w', 'c', 'd', 'e', 'old', 'new', 'side'],
  ...['on-old', 'on-on-old', 'mixed', 'made-with'],
];
const wanted = `/packages.nix ${packages.map((name) => `-A ${name}`).join(' ')}`;
const listPackages = `nix-instantiate --eval --strict --json -E 'builtins.mapAttrs
  (name: package: { derivation = package.drvPath; output = package.outPath; })
  { inherit (import /packages.nix) ${packages.join(' ')}; }'`;

type Listed = Record<string, Pick<Package, 'derivation' | 'output'>>;

function packagesOf(listed: Listed, paths: Universe['paths']): Map<string, Package> {
  const names = new Map(Object.entries(listed).map(([name, { derivation }]) => [derivation, name]));
  const inputs = (derivation: string): string[] =>
    (paths.get(derivation)?.references ?? []).flatMap((input) => names.get(input) ?? []);
  return new Map(
    Object.entries(listed).map(([name, found]) => [name, { ...found, inputs: inputs(found.derivation) }]),
  );
}

function readImage(directory: string): Image {
  const state = join(directory, 'var/nix');
  const links = ['profiles', 'gcroots'].flatMap((name) => linksBelow(join(state, name)));
  return { rows: readRows(state), linked: links.filter((target) => target.startsWith('/nix/store/')) };
}

function linksBelow(directory: string): string[] {
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => readlinkSync(join(entry.parentPath, entry.name)));
}
