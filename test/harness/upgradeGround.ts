import assert from 'node:assert/strict';
import type { Suite } from './base.ts';
import { type Boot, type Container, startIdle } from './container.ts';
import { assertStoreIsSound } from './nix.ts';
import { type UpgradeImage, upgradeImage } from './upgradeImages.ts';
import { upperPaths, whiteouts } from './upper.ts';
import { bare, makeVolume, type Volume } from './volume.ts';

/** One volume and the images that take turns on it. */
export interface Ground extends AsyncDisposable {
  volume: Volume;
  /** Boots an image, in whose store everything is right then: Nix says so, and so does upper/. */
  start(which: UpgradeImage, options?: Omit<Boot, 'command'>): Promise<Container>;
  /** That a path is the image's, whole: its contents, and nothing of it in upper/. */
  assertOfImage(container: Container, which: UpgradeImage, path: string): Promise<void>;
}

export async function upgradeGround(suite: Suite): Promise<Ground> {
  const volume = await makeVolume();
  return {
    volume,
    async start(which, options) {
      const image = await upgradeImage(suite, which);
      const container = await startIdle({ image, volume: volume.name, ...options });
      try {
        await assertStoreIsSound(container);
        assert.deepEqual(await whiteouts(container), []);
        return container;
      } catch (error) {
        await container[Symbol.asyncDispose]();
        throw error;
      }
    },
    async assertOfImage(container, which, path) {
      const read = ['sh', '-euc', `cd ${path}; ls -lnR; head -n -0 *`];
      const ofImage = await bare(await upgradeImage(suite, which), read);
      assert.equal(ofImage.exitCode, 0, ofImage.stderr);
      assert.equal((await container.exec(read)).stdout, ofImage.stdout);
      const own = await upperPaths(container);
      assert.ok(!own.includes(path), `${path} is in upper/`);
    },
    [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
  };
}
