/** Where a user's root is: each kind is found, kept and lost in its own way. */
export type RootKind = 'profile' | 'direct' | 'project';

/**
 * What init can know of a link in a project directory: nothing until the container stops, or boots again, with that
 * directory mounted; of its removal, the same.
 */
type Knowledge = 'known' | 'new' | 'lost' | 'removed';

interface Root {
  kind: RootKind;
  path: string;
  knowledge: Knowledge;
}

/** The roots that users have made, by name. */
export class Roots {
  readonly #roots = new Map<string, Root>();

  names(): string[] {
    return [...this.#roots].filter(([, { knowledge }]) => knowledge !== 'removed').map(([name]) => name);
  }

  kindOf(name: string): RootKind | undefined {
    return this.#roots.get(name)?.kind;
  }

  add(name: string, kind: RootKind, path: string): void {
    this.#roots.set(name, { kind, path, knowledge: kind === 'project' ? 'new' : 'known' });
  }

  remove(name: string): void {
    const root = this.#roots.get(name);
    if (root?.kind === 'project') root.knowledge = 'removed';
    else this.#roots.delete(name);
  }

  /** init looks at the roots: at a boot, and at a clean end. */
  looked(projectMounted: boolean): void {
    if (!projectMounted) return;
    for (const [name, root] of this.#roots) {
      if (root.knowledge === 'removed') this.#roots.delete(name);
      if (root.knowledge === 'new') root.knowledge = 'known';
    }
  }

  /** The collector runs: it unlinks what leads to a directory that is not there. */
  collected(projectMounted: boolean): void {
    if (projectMounted) return;
    for (const root of this.#roots.values()) if (root.knowledge === 'new') root.knowledge = 'lost';
  }

  /** The paths that the collector must keep, and those that it may keep for a root of which nobody can know. */
  held(projectMounted: boolean): { surely: string[]; maybe: string[] } {
    const surely: string[] = [];
    const maybe: string[] = [];
    for (const { path, knowledge } of this.#roots.values()) {
      const sure = knowledge === 'known' || (knowledge === 'new' && projectMounted);
      (sure ? surely : maybe).push(path);
    }
    return { surely, maybe };
  }
}
