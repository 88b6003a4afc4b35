import type { Row, Rows } from '../../model/rows.ts';
import type { Image, Package, Universe } from '../../model/universe.ts';

type Described = Pick<Row, 'references' | 'deriver'>;

/** `app` is built on `lib`, and for that with `tool`, to which it does not refer. */
const paths: Record<string, Described> = {
  'lib.drv': { references: [], deriver: null },
  'tool.drv': { references: [], deriver: null },
  'app.drv': { references: ['lib.drv', 'tool.drv'], deriver: null },
  lib: { references: [], deriver: 'lib.drv' },
  tool: { references: [], deriver: 'tool.drv' },
  app: { references: ['lib'], deriver: 'app.drv' },
};

export const rowsOf = (...names: string[]): Rows =>
  new Map(
    names.map((name) => [
      name,
      { ...(paths[name] ?? { references: [], deriver: null }), record: name, registered: 0 },
    ]),
  );

const packageOf = (name: string, inputs: string[]): [string, Package] => [
  name,
  { derivation: `${name}.drv`, output: name, inputs },
];

const image = (...names: string[]): Image => ({ rows: rowsOf(...names), linked: [] });

/** A ships the library, B the application as well, C neither. */
export const universe: Universe = {
  images: new Map([
    ['A', image('lib')],
    ['B', image('lib', 'app', 'extra')],
    ['C', image('extra')],
  ]),
  packages: new Map([packageOf('lib', []), packageOf('tool', []), packageOf('app', ['lib', 'tool'])]),
  paths: new Map(Object.entries(paths)),
};
