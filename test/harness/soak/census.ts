import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dockerOk } from '../docker.ts';

export interface Process {
  pid: number;
  parent: number;
  name: string;
  state: string;
}

/** What of a process must not grow. */
export interface Vitals {
  descriptors: number;
  threads: number;
  kilobytes: number;
}

/** PID 1 of a container, by its number out here: the engine is on this machine. */
export async function initOf(container: string): Promise<number> {
  return Number(await dockerOk('inspect', '--format', '{{.State.Pid}}', container));
}

/** Everyone in the PID namespace of a process, from out here, where nobody in there notices. */
export function processesBeside(init: number): Process[] {
  const namespace = readlinkSync(`/proc/${init}/ns/pid`);
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        if (readlinkSync(`/proc/${entry}/ns/pid`) !== namespace) return [];
        const [, name = '', state = '', parent = ''] =
          /\((.*)\) (\S) (\d+)/s.exec(readFileSync(`/proc/${entry}/stat`, 'latin1')) ?? [];
        return [{ pid: Number(entry), parent: Number(parent), name, state }];
      } catch {
        // Gone meanwhile.
        return [];
      }
    });
}

export function vitalsOf(pid: number): Vitals {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
    kilobytes: field('RssAnon'),
  };
}

/** The processes that have a volume mounted, in whatever namespace. */
export function holdersOf(volume: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        return readFileSync(`/proc/${entry}/mountinfo`, 'utf8').includes(`/volumes/${volume}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
