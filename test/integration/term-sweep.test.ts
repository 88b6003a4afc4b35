import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { inLanes } from '../harness/lanes.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import {
  fillImage,
  overlay,
  perBoot,
  reconciled,
  validPaths,
  withoutBusy,
} from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { termAfter } from '../harness/termAfter.ts';
import { outlineTree } from '../harness/treeSnapshot.ts';

const delays = Array.from({ length: 41 }, (_, index) => index * 5);
/** So many that seeding goes on until the last of those instants. */
const FILES = 1500;
/** What a main command that nobody told to end says after a while: the TERM was lost. */
const LOST = 9;
const QUICK = 7;
// On a busy machine seeding takes so long that a warning tells how far it is.
const quiet = '--log-level=error';
const waiting = overlay('sh', '-c', `sleep 3; exit ${LOST}`);
const quick = overlay('sh', '-c', `exit ${QUICK}`);

namespaceTest(
  'TERM at every 5 ms of a first boot: 143, nothing mounted, nothing half-made, and the next boot works',
  async () => {
    const lanes = Math.max(2, availableParallelism());
    await using stack = new AsyncDisposableStack();
    const free = await Promise.all(
      Array.from({ length: lanes }, async () => stack.use(await imageMachine())),
    );
    const seen = { seeding: 0, whole: 0 };
    const faults: string[] = [];
    await inLanes(lanes, [...delays.entries()], async ([turn, delay]) => {
      const machine = free.pop();
      assert.ok(machine);
      try {
        // Every second main command ends by itself, perhaps before TERM, perhaps in the middle of it.
        const ends = turn % 2 === 1;
        // After half of them, beside what is looked at after each.
        const again = !ends || delay % 25 === 0;
        const { state, faults: found } = await interrupt(machine, { delay, ends, again });
        if (state !== 'none') seen[state] += 1;
        faults.push(...found.map((fault) => `TERM after ${delay} ms: ${fault}`));
      } finally {
        free.push(machine);
      }
    });
    console.log(`ended while seeding: ${seen.seeding}, with the whole state: ${seen.whole}`);
    assert.deepEqual(faults.sort(), []);
    assert.ok(seen.seeding > 0, 'no TERM came during the seeding');
  },
  1_200_000,
);

interface Interrupted {
  /** How far the volume came: nothing to speak of, its layers without a state, or all. */
  state: 'none' | 'seeding' | 'whole';
  faults: string[];
}

type Trial = { delay: number; ends: boolean; again: boolean };

async function interrupt(machine: Machine, { delay, ends, again }: Trial): Promise<Interrupted> {
  await machine.shell('umount nix-cache; mount -t tmpfs -o mode=755 volume nix-cache');
  const before = machine.mounts();
  const faults: string[] = [];
  const expect = (what: string, good: boolean): void => {
    if (!good) faults.push(what);
  };
  const first = await termAfter(machine, delay, ['/init', quiet, ...(ends ? quick : waiting)], 'blocked');
  const lost =
    first.status === LOST ? `: TERM was lost, init had run ${first.ranMs} ms of ${first.sentMs}` : '';
  expect(`status ${first.status}${lost}`, first.status === 143 || (ends && first.status === QUICK));
  expect(`said ${first.stderr}`, first.stderr === '');
  expect(`left mounted ${machine.mounts()}`, machine.mounts().join() === before.join());
  const state = stateOf(machine);
  if (state === 'whole') expect('half-seeded', isWhole(machine));
  expect('left a staging directory', !existsSync(machine.path('/nix-cache/.nix-cache-init/seed')));

  if (!again) return { state, faults };
  // A volume that were still locked would be refused.
  const next = await termAfter(machine, 'never', ['/init', quiet, ...overlay('true')]);
  expect(`next boot: status ${next.status}: ${next.stderr}`, next.status === 0 && next.stderr === '');
  expect(
    'not whole after the next boot',
    stateOf(machine) === 'whole' && isWhole(machine) && knowsImage(machine),
  );
  expect(`next boot left mounted ${machine.mounts()}`, machine.mounts().join() === before.join());
  return { state, faults };
}

function stateOf(machine: Machine): Interrupted['state'] {
  if (existsSync(machine.path('/nix-cache/var/nix'))) return 'whole';
  return existsSync(machine.path('/nix-cache/workdir')) ? 'seeding' : 'none';
}

function knowsImage(machine: Machine): boolean {
  const manifest: unknown = JSON.parse(
    readFileSync(machine.path('/nix-cache/.nix-cache-init/manifest.json'), 'utf8'),
  );
  assert.ok(typeof manifest === 'object' && manifest !== null && 'imageIdentity' in manifest);
  return manifest.imageIdentity !== null;
}

/** The volume has what the image has. */
function isWhole(machine: Machine): boolean {
  const [image, volume] = ['/nix/var/nix', '/nix-cache/var/nix'].map((directory) => {
    const path = machine.path(directory);
    // The boot makes mount points in the directory itself.
    const tree = withoutBusy(outlineTree(path, [...perBoot, ...reconciled]));
    return JSON.stringify([tree, validPaths(path)]);
  });
  return image === volume;
}

async function imageMachine(): Promise<Machine> {
  const machine = await makeMachine();
  await fillImage(machine, { rows: 40 });
  const write = 'for (1 .. shift) { open my $f, ">", $_ or die; print $f "$_\\n" x 50 }';
  await machine.shell(
    `mkdir nix/var/nix/profiles/many; cd nix/var/nix/profiles/many; perl -e '${write}' ${FILES}`,
  );
  return machine;
}
