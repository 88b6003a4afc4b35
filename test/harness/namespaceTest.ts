import { testOnGround } from './ground.ts';

/** Undefined where Linux namespaces can be made. */
export const namespacesMissing = process.getuid?.() === 0 ? undefined : 'making namespaces takes root';

/** A test that needs Linux namespaces. */
export function namespaceTest(name: string, body: () => Promise<void>, hangMs?: number): void {
  testOnGround(namespacesMissing, name, body, hangMs);
}
