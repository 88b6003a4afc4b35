/** When a boot, and what it leaves for a little later, is over. */
const COLLECT_AFTER_MS = 2000;

/**
 * To be called when the command runs: gives back what the boot has left, once. V8 would when there is more of it, and there never
 * is; and only as a last resort does it give back the young generation's pages, too.
 */
export function collectGarbageLater(): void {
  setTimeout(
    () => garbageCollector()({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
    COLLECT_AFTER_MS,
  );
}

function garbageCollector(): NodeJS.GCFunction {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  // Not on our command line, nor for longer: V8 refuses code caches that were taken without it.
  setFlagsFromString('--expose-gc');
  const collect: NodeJS.GCFunction = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}
