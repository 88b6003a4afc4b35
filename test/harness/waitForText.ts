import { setTimeout as sleep } from 'node:timers/promises';

/** A bound for hangs only. */
const HANG_MS = 60_000;

/**
 * Reads again and again until the text matches.
 * @param mayStillCome false when whoever writes the text is gone: it is read once more then.
 */
export async function waitForText(
  read: () => string | Promise<string>,
  pattern: RegExp,
  mayStillCome: () => boolean | Promise<boolean>,
  everyMs = 5,
): Promise<RegExpExecArray> {
  for (const deadline = Date.now() + HANG_MS; ; await sleep(everyMs)) {
    const goesOn = Date.now() < deadline && (await mayStillCome());
    const text = await read();
    const match = pattern.exec(text);
    if (match !== null) return match;
    if (!goesOn) throw new Error(`never saw ${pattern} in:\n${text}`);
  }
}
