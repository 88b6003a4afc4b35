import { test } from 'node:test';

const root = process.getuid?.() === 0;
const remedy = 'making namespaces takes root';

// In CI a test that could not run is a failure: nobody reads skips there.
const skip = root || process.env['CI'] ? false : remedy;

/** A test that needs Linux namespaces. The bound is for hangs only. */
export function namespaceTest(name: string, body: () => Promise<void>, timeout = 300_000): void {
  test(name, { skip, timeout }, async () => {
    if (!root) throw new Error(remedy);
    await body();
  });
}
