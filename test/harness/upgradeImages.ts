import { join } from 'node:path';
import type { Suite } from './base.ts';
import { asProduct, derive, fingerprintOf, image, nixImage } from './images.ts';
import { fixtures } from './paths.ts';

/**
 * What each image ships beside a, b and w; its default profile is the first. B is the upgrade of A: one package is gone, one
 * is new, and one (c) is what users of A may have built. C is another image on the same volume, with a content-addressed path.
 */
const shipped = { A: ['old'], B: ['new', 'c'], C: ['side', 'c', 'd', 'addressed'] } as const;

export type UpgradeImage = keyof typeof shipped;

/** One of the images that take turns on a volume. */
export async function upgradeImage(suite: Suite, which: UpgradeImage): Promise<string> {
  const from = await nixImage(suite);
  const packages = shipped[which];
  const inputs = `${from} ${packages} ${await fingerprintOf('upgrade')}`;
  return await image(`upgrade-${which.toLowerCase()}-${suite}`, inputs, async (tag) => {
    const command = ['/bin/sh', '/fixtures/make-image.sh', ...packages];
    await derive(tag, from, join(fixtures, 'upgrade'), command, asProduct);
  });
}
