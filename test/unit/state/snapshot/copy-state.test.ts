import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { copyState } from '../../../../src/state/snapshot/copy-state.ts';
import { temporaryDirectory } from '../../fixtures.ts';

const same = (): string => 'same';

/** Changes a profile as Nix does: a new generation, the link to it, and the old one gone. */
class Profile {
  #generation = 0;
  readonly #directory: string;

  constructor(state: string) {
    this.#directory = `${state}/profiles`;
    mkdirSync(this.#directory, { recursive: true });
    this.change();
  }

  change(): void {
    const link = (number: number): string => `default-${number}-link`;
    this.#generation += 1;
    symlinkSync(`/nix/store/${this.#generation}`, `${this.#directory}/${link(this.#generation)}`);
    symlinkSync(link(this.#generation), `${this.#directory}/.new`);
    renameSync(`${this.#directory}/.new`, `${this.#directory}/default`);
    rmSync(`${this.#directory}/${link(this.#generation - 1)}`, { force: true });
  }
}

const OCCASIONS = 20;

test('whenever a profile changes, the copy has one whole generation of it', async () => {
  for (let first = 0; first < OCCASIONS; first += 1) {
    using directory = temporaryDirectory();
    const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
    const profile = new Profile(from);
    let occasion = 0;
    await copyState(from, to, same, async () => {
      if (occasion === first || occasion === first + 3) profile.change();
      occasion += 1;
    });
    const generation = readlinkSync(`${to}/profiles/default`);
    assert.match(readlinkSync(`${to}/profiles/${generation}`), /^\/nix\/store\/\d+$/);
  }
});

test('what is noted is true before and after', async () => {
  using directory = temporaryDirectory();
  const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
  mkdirSync(from);
  writeFileSync(`${from}/file`, 'old');
  let epoch = 0;
  const noted = await copyState(
    from,
    to,
    () => epoch,
    async () => {
      if (epoch === 0) writeFileSync(`${from}/file`, 'new');
      epoch = 1;
    },
  );
  assert.equal(noted, 1);
  assert.equal(readFileSync(`${to}/file`, 'utf8'), 'new');
});

test('what an earlier copy had is not in a later one', async () => {
  using directory = temporaryDirectory();
  const [from, to] = [`${directory.path}/from`, `${directory.path}/to`];
  mkdirSync(from);
  mkdirSync(`${to}/deep`, { recursive: true });
  await copyState(from, to, same, async () => {});
  assert.equal(existsSync(`${to}/deep`), false);
});
