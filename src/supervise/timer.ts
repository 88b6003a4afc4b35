/** What setTimeout can wait for; beyond that it would not wait at all. */
const LONGEST_MS = 2 ** 31 - 1;

/** setTimeout(), for a time that someone configured. */
export function startTimer(act: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(act, Math.min(ms, LONGEST_MS));
}
