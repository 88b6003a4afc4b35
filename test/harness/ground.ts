import { test } from 'node:test';

/**
 * A test that needs more than Node. Where that is missing it is skipped with the remedy; in CI, where nobody reads skips,
 * it fails with it.
 */
export function testOnGround(
  missing: string | undefined,
  name: string,
  body: () => Promise<void>,
  hangMs = 300_000,
): void {
  const skip = process.env['CI'] ? false : (missing ?? false);
  test(name, { skip, timeout: hangMs }, async () => {
    if (missing !== undefined) throw new Error(missing);
    await body();
  });
}
