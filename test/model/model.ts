import { type Expectation, exactly } from './expectation.ts';
import { liveFrom, type Row, type Rows, unreferenced, wholeRows, without } from './rows.ts';
import { type Image, need, type Universe } from './universe.ts';

/** Where a user's root is: each is found, kept and lost in its own way. */
export type RootKind = 'profile' | 'direct' | 'project';

export interface Root {
  kind: RootKind;
  path: string;
  /** Whether init can know of it: a link in a project directory that it never saw with that mounted, it cannot. */
  known: boolean;
}

/** What has to be true of a volume: which paths are valid, and which of those are the volume's own. */
export class Model {
  readonly universe: Universe;
  /** The image that runs; undefined while nothing does. */
  running: string | undefined;
  /** Whether the running container has the project directory. */
  projectMounted = true;
  /** The rows of the volume's database. */
  valid: Rows = new Map();
  /** The whole copies in upper/, each with the row that tells what it contains. */
  cached: Rows = new Map();
  readonly roots = new Map<string, Root>();
  /** Targets of links that came with any image so far: one that still leads somewhere may have stayed. */
  readonly linked = new Set<string>();

  constructor(universe: Universe) {
    this.universe = universe;
  }

  image(name: string | undefined = this.running): Image {
    if (name === undefined) throw new RangeError('nothing runs');
    return need(this.universe.images, name);
  }

  /** The rows after a boot of this image: the image's own, and what of the volume's own is whole without the rest. */
  afterBoot(name: string): { valid: Rows; cached: Rows } {
    const { rows } = this.image(name);
    const cached = wholeRows(without(this.cached, rows), rows);
    return { cached, valid: new Map([...rows, ...cached]) };
  }

  /**
   * The rows that a boot which was killed may have left: those before it, or those after it; one transaction is between
   * them. Only the rows that it takes away tell which.
   */
  afterKilledBoot(name: string): Expectation {
    const { rows } = this.image(name);
    const after = this.afterBoot(name).valid;
    const must = [...this.valid.keys()].filter((path) => after.has(path));
    return { must: new Set(must), may: new Set([...this.valid.keys(), ...rows.keys()]) };
  }

  /** The rows that a boot of this image takes away: all at once, or none. */
  removedBy(name: string): string[] {
    const after = this.afterBoot(name).valid;
    return [...this.valid.keys()].filter((path) => !after.has(path));
  }

  /** What building a package makes valid, and which derivations Nix has to build for it. */
  build(name: string): { expected: Expectation; built: ReadonlySet<string> } {
    const { packages, paths } = this.universe;
    const must = new Set(this.valid.keys());
    const built = new Set<string>();
    const instantiate = (derivation: string): void => {
      must.add(derivation);
      need(paths, derivation).references.forEach(instantiate);
    };
    const realise = (wanted: string): void => {
      const { derivation, output, inputs } = need(packages, wanted);
      if (must.has(output)) return;
      inputs.forEach(realise);
      must.add(output);
      built.add(derivation);
    };
    instantiate(need(packages, name).derivation);
    realise(name);
    return { expected: exactly(must), built };
  }

  /** What the collector leaves: all that a root leads to, and nothing else. */
  afterGc(): Expectation {
    const { rows, linked } = this.image();
    const held = [...this.roots.values()];
    const sure = held.filter(({ known, kind }) => kind !== 'project' || this.projectMounted || known);
    const must = liveFrom([...sure.map(({ path }) => path), ...unreferenced(rows), ...linked], this.valid);
    const may = [...held.map(({ path }) => path), ...rows.keys(), ...this.linked];
    return { must, may: liveFrom(may, this.valid) };
  }

  /** Image paths that Nix deletes when told to ignore their roots: nothing refers to them. */
  deletable(): string[] {
    return unreferenced(this.valid)
      .filter((path) => this.image().rows.has(path))
      .sort();
  }

  /** Takes over what is really there, once it is known to be as it must. */
  settle(observed: Rows): void {
    const kept = [...this.cached].filter(([path]) => observed.has(path));
    const made = [...observed].filter(([path]) => !this.valid.has(path));
    this.cached = new Map<string, Row>([...kept, ...made]);
    this.valid = observed;
  }
}
