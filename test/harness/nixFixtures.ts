import { join } from 'node:path';
import { fixtures } from './paths.ts';

const file = (name: string): string => join(fixtures, 'nix', name);

/** In shell, at a machine's root: the settings of its Nix, and what /fill-store.sh takes. */
export const putNixFixtures = `
mkdir -p etc/nix
cp ${file('nix.conf')} etc/nix/nix.conf
cp ${['packages.nix', 'fill-store.sh'].map(file).join(' ')} .`;
