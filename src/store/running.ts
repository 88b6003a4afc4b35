import { existsSync } from 'node:fs';
import { readIfThere } from '../linux/read.ts';
import { runDir } from './run-layout.ts';

/**
 * The strategy of the init that runs here: who asks from outside of it need not have its configuration, and it may have gone
 * on with another than was asked for.
 * @returns undefined where none runs, or where it could leave no record.
 */
export function runningStrategy(record = `${runDir}/boot.json`): string | undefined {
  const { strategy, pid } = parse(readIfThere(record) ?? '{}');
  const runs = typeof pid === 'number' && pid !== process.pid && existsSync(`/proc/${pid}`);
  return runs && typeof strategy === 'string' ? strategy : undefined;
}

function parse(text: string): { strategy?: unknown; pid?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch (error) {
    // Its init was killed while it wrote, and does not run.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
