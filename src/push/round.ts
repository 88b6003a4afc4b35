/** The usual patience. */
export const PATIENCE = 2;

/** One attempt to have paths copied: why it failed, or undefined. */
export type Attempt = (paths: readonly string[]) => Promise<string | undefined>;

export type Round = {
  attempt: Attempt;
  /** Told of paths that are there now. */
  onPushed: (paths: readonly string[]) => Promise<void>;
  /** How many single paths may fail in a row until it is taken for the cache, not for them. */
  patience: number;
};

/**
 * Has paths copied. One that cannot be must not keep the others from it, and a cache that does not answer must not be asked for
 * each of them: where a batch fails, single ones of it tell which it is.
 * @returns those that are not there, and why the last of them is not; undefined: all are.
 */
export async function pushInBatches(
  all: Iterable<readonly string[]>,
  { attempt, onPushed, patience }: Round,
): Promise<{ missing: string[]; why: string } | undefined> {
  const missing: string[] = [];
  let last: string | undefined;
  let failures = 0;
  const todo = [...all].reverse();
  for (let batch = todo.pop(); batch !== undefined; batch = todo.pop()) {
    const why = await attempt(batch);
    if (why === undefined) {
      failures = 0;
      await onPushed(batch);
      continue;
    }
    last = why;
    if (batch.length > 1 && patience > 0) {
      todo.push(...split(batch).reverse());
      continue;
    }
    missing.push(...batch);
    failures += 1;
    if (failures < patience) continue;
    missing.push(...todo.reverse().flat());
    break;
  }
  return last === undefined || missing.length === 0 ? undefined : { missing, why: last };
}

/** Two single ones first, which tell the most; then the rest in two halves. */
function split(batch: readonly string[]): (readonly string[])[] {
  const [first, last, rest] = [batch.slice(0, 1), batch.slice(-1), batch.slice(1, -1)];
  const middle = Math.ceil(rest.length / 2);
  return [first, last, rest.slice(0, middle), rest.slice(middle)].filter((part) => part.length > 0);
}
