const FIRST_MS = 100;
const LAST_MS = 10_000;
/** A service that lived this long did not fail at its start: the count begins anew. */
const HEALTHY_MS = 30_000;

/** The delay before the n-th restart in a row, in milliseconds (DESIGN §7.12). */
export function backoffMs(crashes: number): number {
  return Math.min(FIRST_MS * 2 ** (crashes - 1), LAST_MS);
}

/** The number of crashes in a row after one more, of a service that had lived for `uptimeMs`. */
export function nextInRow(crashes: number, uptimeMs: number): number {
  return uptimeMs > HEALTHY_MS ? 1 : crashes + 1;
}
