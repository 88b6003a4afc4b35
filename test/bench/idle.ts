import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBoot } from '../harness/namespaceBoot.ts';
import type { Machine } from '../harness/namespaceMachine.ts';
import { contenders, makeContendersMachine } from './contenders.ts';
import type { Measurement, Section } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, spreadOf } from './statistics.ts';

/** By then V8 has given back what it does not need: it looks after some seconds of nothing. */
const SETTLED_MS = 15_000;

const bareNode = {
  name: 'node',
  what: 'node with a timer of 25 days',
  command: ['/bench/node', '/bench/idle.js'],
};

/** What PID 1 keeps while nothing happens, its daemon and its command not counted. */
export const idle: Measurement = {
  name: 'idle',
  rounds: { full: 3, quick: 1 },
  async run({ rounds, quick }) {
    await using machine = await makeContendersMachine();
    copyFileSync(process.execPath, machine.path('/bench/node'));
    writeFileSync(
      machine.path('/bench/idle.js'),
      "setInterval(() => {}, 2 ** 31 - 1); console.log('answered')",
    );
    // supervisord opens what its programs write to by a path, which the socket that Node gives a child has not got.
    const others = contenders.filter(({ name }) => name !== 'supervisor');
    const all = [...others.filter(({ name }) => !quick || name === 'init'), bareNode];
    const runs = await inTurns(all, { rounds, warmUp: 0 }, ({ command }) => memoryOf(machine, command));
    const of = (name: string, part: keyof Memory): number[] => runs(name).map((run) => run[part]);
    const table = (part: keyof Memory, title: string): Section => ({
      title,
      digits: part === 'threads' ? 0 : 2,
      rows: all.map(({ name, what }) => ({ name, what, ...spreadOf(of(name, part)) })),
    });
    return {
      rounds,
      sections: {
        anonymous: table('anonymous', 'anonymous memory of PID 1, MiB'),
        resident: table('resident', 'resident memory of PID 1, files of its own included, MiB'),
        threads: table('threads', 'threads of PID 1'),
        ratios: {
          title: 'ratios within the rounds',
          digits: 2,
          rows: [
            {
              name: 'init/node',
              what: 'resident memory against bare node',
              ...spreadOf(pairedRatios(of('init', 'resident'), of('node', 'resident'))),
            },
          ],
        },
      },
    };
  },
};

/** In MiB, and a number. */
type Memory = { anonymous: number; resident: number; threads: number };

async function memoryOf(machine: Machine, [file = '', ...args]: readonly string[]): Promise<Memory> {
  await using booted = await startBoot(machine, { program: [file], args });
  await booted.waitFor(/answered/);
  await sleep(SETTLED_MS);
  const rollup = readFileSync(`/proc/${booted.init}/smaps_rollup`, 'utf8');
  const status = readFileSync(`/proc/${booted.init}/status`, 'utf8');
  return {
    anonymous: numberIn(rollup, 'Anonymous') / 1024,
    resident: numberIn(rollup, 'Rss') / 1024,
    threads: numberIn(status, 'Threads'),
  };
}

function numberIn(text: string, name: string): number {
  const value = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`no ${name} in ${text}`);
  return Number(value);
}
