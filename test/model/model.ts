import type { ImageName } from '../harness/nixMachine.ts';
import { type Expectation, exactly } from './expectation.ts';
import { Roots } from './roots.ts';
import { liveFrom, type Row, type Rows, unreferenced, wholeRows, without } from './rows.ts';
import { type Image, need, type Universe } from './universe.ts';

/** What has to be true of a volume: which paths are valid, and which of those are the volume's own. */
export class Model {
  readonly universe: Universe;
  /** The container that runs, or ran last. */
  container: { image: ImageName; project: boolean } = { image: 'A', project: true };
  running = false;
  /** The rows of the volume's database. */
  valid: Rows = new Map();
  /**
   * The whole copies in upper/, each with the row that tells what it contains: also those that wait, without being valid,
   * for an image that has what they refer to.
   */
  cached: Rows = new Map();
  /** The image that the volume was last brought in step with, and the copies that waited when it ran last. */
  #settled: { image: ImageName; waiting: ReadonlySet<string> } | undefined;
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
  afterBoot(name: ImageName): { valid: Map<string, Row>; cached: Rows } {
    const { rows } = this.image(name);
    const cached = without(this.cached, rows);
    return { cached, valid: new Map([...rows, ...wholeRows(cached, rows)]) };
  }

  /** What need not become valid in a boot of this image: when it is the last one, nobody looks for what may have become whole. */
  mayWait(name: ImageName): ReadonlySet<string> {
    return name === this.#settled?.image ? this.#settled.waiting : new Set();
  }

  /** A container of this image has come up on the volume: what waits now, waits for another image. */
  booted(image: ImageName, rows: { valid: Rows; cached: Rows }): void {
    Object.assign(this, rows);
    for (const path of this.image(image).linked) this.linked.add(path);
    this.#noteWaiting(image);
  }

  #noteWaiting(image: ImageName): void {
    const waiting = new Set([...this.cached.keys()].filter((path) => !this.valid.has(path)));
    this.#settled = { image, waiting };
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

  /**
   * Takes over the rows after an operation in the container: what is newly valid was made in upper/.
   * @param touched of what is not valid, that of which the operation may have left a part.
   */
  settle(observed: Rows, touched: ReadonlySet<string> = new Set()): void {
    const whole = (path: string): boolean => !touched.has(path) && !this.valid.has(path);
    const kept = [...this.cached].filter(([path]) => observed.has(path) || whole(path));
    const made = [...observed].filter(([path]) => !this.valid.has(path));
    this.cached = new Map([...kept, ...made]);
    this.valid = observed;
    this.#noteWaiting(this.container.image);
  }

  /** Forgets copies that are no longer there. */
  onlyCopies(upper: { has(path: string): boolean }): void {
    this.cached = new Map([...this.cached].filter(([path]) => upper.has(path)));
  }
}
