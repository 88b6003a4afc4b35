import { test } from 'node:test';

/**
 * A test that needs more than Node. Where that is missing it is skipped with the remedy; in CI, where nobody reads skips,
 * it fails with it.
 */
export function testOnGround(missing: string | undefined, name: string, body: () => Promise<void>): void {
  const skip = process.env['CI'] ? false : (missing ?? false);
  // The bound is for hangs only.
  test(name, { skip, timeout: 300_000 }, async () => {
    if (missing !== undefined) throw new Error(missing);
    await body();
  });
}
