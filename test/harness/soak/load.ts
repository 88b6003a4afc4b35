import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixtures } from '../paths.ts';

/** The signals that the main command counts, and nothing else in the container takes an interest in. */
export const counted = ['SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGWINCH', 'SIGCONT'] as const;
export const alsoCounted = [
  'SIGIO',
  'SIGPWR',
  'SIGVTALRM',
  'SIGPROF',
  'SIGTSTP',
  'SIGTTIN',
  'SIGURG',
] as const;

const [ORPHANS, STOPPED, RESTING] = [64, 65, 66];
const NUMBERS = 80;

/** The busy main command (test/fixtures/soak/main.pl) as the test sees it: through a directory that they share. */
export interface Load extends AsyncDisposable {
  flags: string[];
  command: string[];
  /** How many signals of this number it has counted. */
  signals(number: number): number;
  orphans(): number;
  stopped(): number;
  /** Returns when it makes no processes any more, and all that it made have had time to end. */
  rest(): Promise<void>;
  resume(): Promise<void>;
}

export async function makeLoad(seed: number): Promise<Load> {
  const shared = await mkdtemp(join(tmpdir(), 'nix-cache-init-soak-'));
  const file = join(shared, 'counters');
  const numbers = Buffer.alloc(NUMBERS * 8);
  await writeFile(file, numbers);
  const fd = openSync(file, 'r');
  const at = (index: number): number => {
    readSync(fd, numbers, 0, numbers.length, 0);
    return Number(numbers.readBigUInt64LE(index * 8));
  };
  const names = [...counted, ...alsoCounted].map((name) => name.slice(3));
  return {
    flags: ['-v', `${shared}:/shared`, '-v', `${join(fixtures, 'soak')}:/soak:ro`],
    command: ['perl', '/soak/main.pl', '/shared', `${seed}`, ...names],
    signals: at,
    orphans: () => at(ORPHANS),
    stopped: () => at(STOPPED),
    async rest() {
      writeFileSync(join(shared, 'rest'), '');
      for (const deadline = Date.now() + 30_000; at(RESTING) === 0; await sleep(20)) {
        if (Date.now() > deadline) throw new Error('the main command does not come to rest');
      }
    },
    resume: () => rm(join(shared, 'rest')),
    async [Symbol.asyncDispose]() {
      closeSync(fd);
      await rm(shared, { recursive: true });
    },
  };
}
