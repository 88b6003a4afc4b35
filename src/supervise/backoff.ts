/** How long is waited at first, and at most. */
export type Backoff = { firstMs: number; lastMs: number };

const SERVICE: Backoff = { firstMs: 100, lastMs: 10_000 };
/** A service that lived this long did not fail at its start: the count begins anew. */
const HEALTHY_MS = 30_000;

/** The delay before the n-th restart in a row, in milliseconds (DESIGN §7.12), or before another try of something else. */
export function backoffMs(failures: number, { firstMs, lastMs } = SERVICE): number {
  return Math.min(firstMs * 2 ** (failures - 1), lastMs);
}

/** The number of crashes in a row after one more, of a service that had lived for `uptimeMs`. */
export function nextInRow(crashes: number, uptimeMs: number): number {
  return uptimeMs > HEALTHY_MS ? 1 : crashes + 1;
}
