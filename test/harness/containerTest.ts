import { engineAnswers } from './docker.ts';
import { testOnGround } from './ground.ts';

/** Undefined where a Docker engine answers. */
export const engineMissing = (await engineAnswers())
  ? undefined
  : 'no Docker engine answers: run it through `npm test -- <file>`, as root';

/** A test that needs Docker. */
export function containerTest(name: string, body: () => Promise<void>, hangMs?: number): void {
  testOnGround(engineMissing, name, body, hangMs);
}
