import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageLayers } from '../harness/bigImage.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { runOk } from '../harness/run.ts';

/** A machine whose image and volume can be exchanged: it boots the same volume on one image and on the next. */
export interface BigMachine extends AsyncDisposable {
  machine: Machine;
  /** Lays these layers over each other at /nix, with a fresh layer of the container's own, as an engine does. */
  insert(image: ImageLayers): Promise<void>;
  /** Puts a file system in a file at /nix-cache; the file is changed by whatever is done there. */
  attach(volume: string): Promise<void>;
  detach(): Promise<void>;
  /** Milliseconds that a step of the last boot took, from boot.json. */
  step(name: string): number;
}

/** @param base a root with programs of its own, as Nix; without it the host's. */
export async function makeBigMachine(directory: string, base = ''): Promise<BigMachine> {
  const machine = await makeMachine({ volume: 'directory', base });
  let inserted = 0;
  return {
    machine,
    async insert(image) {
      inserted += 1;
      const own = join(directory, `container-${inserted}`);
      const options = `lowerdir=${image.join(':')},upperdir=${own}/upper,workdir=${own}/work`;
      await machine.shell(`
        if mountpoint -q nix; then umount nix; fi
        mkdir -p "${own}/upper" "${own}/work"
        mount -t overlay -o "${options}" image nix`);
    },
    attach: async (volume) => {
      await machine.shell(`mount -o loop "${volume}" nix-cache`);
    },
    detach: async () => {
      await machine.shell('umount nix-cache');
    },
    step: (name) => {
      const { steps } = JSON.parse(readFileSync(machine.path('/run/nix-cache-init/boot.json'), 'utf8')) as {
        steps: { do: string; ms: number }[];
      };
      const found = steps.find((step) => step.do === name);
      if (found === undefined) throw new Error(`the boot had no step ${name}`);
      return found.ms;
    },
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}

/** An empty ext4 in a sparse file. */
export async function makeVolumeFile(file: string): Promise<string> {
  await runOk('truncate', ['--size', '2G', file]);
  await runOk('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', file]);
  return file;
}

/** To the last block: what was written to one does not show in the other. */
export async function copyVolumeFile(file: string, copy: string): Promise<string> {
  await runOk('cp', ['--sparse=always', file, copy]);
  // The writing back of the copy belongs to no contender.
  await runOk('sync', ['-f', copy]);
  return copy;
}
