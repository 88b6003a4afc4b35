import { test } from 'node:test';
import { engineAnswers } from './docker.ts';

const answers = await engineAnswers();
const remedy = 'no Docker engine answers: run it through `npm test -- <file>`, as root';

// In CI a test that could not run is a failure: nobody reads skips there.
const skip = answers || process.env['CI'] ? false : remedy;

/** A test that needs Docker. The bound is for hangs only. */
export function containerTest(name: string, body: () => Promise<void>, timeout = 300_000): void {
  test(name, { skip, timeout }, async () => {
    if (!answers) throw new Error(remedy);
    await body();
  });
}
