import type { ImageName } from '../harness/nixMachine.ts';
import type { Row, Rows } from './rows.ts';

/** An image as its own database and its own links describe it. */
export interface Image {
  rows: Rows;
  /** Store paths that its profiles and roots lead to. */
  linked: readonly string[];
}

/** A package that users build: what Nix says of it in a store of its own. */
export interface Package {
  derivation: string;
  output: string;
  /** The packages that are built before it, where their outputs are missing. */
  inputs: readonly string[];
}

/** Everything that can be, as real Nix describes it. */
export interface Universe {
  images: ReadonlyMap<ImageName, Image>;
  packages: ReadonlyMap<string, Package>;
  /** References and deriver of every derivation and output of the packages. */
  paths: ReadonlyMap<string, Pick<Row, 'references' | 'deriver'>>;
}

/** An entry that must be there. */
export function need<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new RangeError(`the model knows no ${String(key)}`);
  return value;
}
