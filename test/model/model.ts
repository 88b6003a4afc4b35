import type { ImageName } from '../harness/nixMachine.ts';
import { type Expectation, exactly } from './expectation.ts';
import { Roots } from './roots.ts';
import { liveFrom, type Rows, unreferenced, wholeRows, without } from './rows.ts';
import { type Image, need, type Universe } from './universe.ts';

/** What has to be true of a volume: which paths are valid, and which of those are the volume's own. */
export class Model {
  readonly universe: Universe;
  /** The container that runs, or ran last. */
  container: { image: ImageName; project: boolean } = { image: 'A', project: true };
  running = false;
  /** The rows of the volume's database. */
  valid: Rows = new Map();
  /** The whole copies in upper/, each with the row that tells what it contains. */
  cached: Rows = new Map();
  readonly roots = new Roots();
  /** Targets of links that came with any image so far: one that still leads somewhere may have stayed. */
  readonly linked = new Set<string>();

  constructor(universe: Universe) {
    this.universe = universe;
  }

  image(name: ImageName = this.container.image): Image {
    return need(this.universe.images, name);
  }

  /** The rows after a boot of this image: the image's own, and what of the volume's own is whole without the rest. */
  afterBoot(name: ImageName): { valid: Rows; cached: Rows } {
    const { rows } = this.image(name);
    const cached = wholeRows(without(this.cached, rows), rows);
    return { cached, valid: new Map([...rows, ...cached]) };
  }

  /**
   * The rows that a boot which was killed may have left: those before it, or those after it; one transaction is between
   * them. Only the rows that it takes away tell which.
   */
  afterKilledBoot(name: ImageName): Expectation {
    const { rows } = this.image(name);
    const after = this.afterBoot(name).valid;
    const must = [...this.valid.keys()].filter((path) => after.has(path));
    return { must: new Set(must), may: new Set([...this.valid.keys(), ...rows.keys()]) };
  }

  /** The rows that a boot of this image takes away: all at once, or none. */
  removedBy(name: ImageName): string[] {
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
    const { rows } = this.image();
    const held = this.roots.held(this.container.project);
    const must = liveFrom([...held.surely, ...unreferenced(rows)], this.valid);
    const may = liveFrom([...held.surely, ...held.maybe, ...rows.keys(), ...this.linked], this.valid);
    return { must, may };
  }

  /** Image paths that Nix deletes when told to ignore their roots: nothing refers to them. */
  deletable(): string[] {
    return unreferenced(this.valid)
      .filter((path) => this.image().rows.has(path))
      .sort();
  }

  /** Takes over the rows after an operation in the container: what is newly valid was made in upper/. */
  settle(observed: Rows): void {
    const kept = [...this.cached].filter(([path]) => observed.has(path));
    const made = [...observed].filter(([path]) => !this.valid.has(path));
    this.cached = new Map([...kept, ...made]);
    this.valid = observed;
  }

  /** The same after a boot that may have been killed half way: what it has moved out of upper/ is cached no more. */
  settleKilledBoot(observed: Rows, upper: { has(path: string): boolean }): void {
    this.cached = new Map([...this.cached].filter(([path]) => observed.has(path) && upper.has(path)));
    this.valid = observed;
  }
}
