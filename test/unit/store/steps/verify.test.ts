import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { claimVolume } from '../../../../src/store/steps/manifest.ts';
import { verifyManifest } from '../../../../src/store/steps/verify.ts';
import { writeManifest } from '../../../../src/volume/manifest.ts';
import { isInitError, temporaryDirectory } from '../../fixtures.ts';

type Kind = 'trusted' | 'user';

const pairs: [Kind, Kind][] = [
  ['trusted', 'trusted'],
  ['user', 'user'],
  ['trusted', 'user'],
  ['user', 'trusted'],
];

for (const [made, xattrs] of pairs) {
  const accepted = made === xattrs;
  test(`a volume with ${made} marks for ${xattrs} marks: ${accepted ? 'accepted' : 'refused with 78'}`, () => {
    using directory = temporaryDirectory();
    const manifest = `${directory.path}/manifest.json`;
    writeManifest(manifest, {
      format: 1,
      strategy: 'overlay',
      xattrs: made,
      imageIdentity: null,
      imageStat: null,
      nixSchema: null,
    });
    const verify = (): void => verifyManifest({ do: 'verify', manifest, xattrs });
    if (accepted) return verify();
    const what = new RegExp(`made with ${made}\\.overlay .* use ${xattrs}\\.overlay`);
    return assert.throws(
      verify,
      isInitError({ exitCode: 78, stage: 'facts', errno: 'EINVAL', what, remedy: /another volume/ }),
    );
  });
}

for (const xattrs of ['trusted', 'user'] as const) {
  test(`a volume on which nothing was ever mounted is accepted for ${xattrs} marks`, () => {
    using directory = temporaryDirectory();
    const manifest = `${directory.path}/manifest.json`;
    claimVolume({ do: 'manifest', path: manifest, strategy: 'prefix' });
    verifyManifest({ do: 'verify', manifest, xattrs });
  });
}

test('a new volume is accepted', () => {
  using directory = temporaryDirectory();
  verifyManifest({ do: 'verify', manifest: `${directory.path}/manifest.json`, xattrs: 'user' });
});

test('one of a newer version is refused with 78', () => {
  using directory = temporaryDirectory();
  const manifest = `${directory.path}/manifest.json`;
  writeFileSync(manifest, '{"format":2}');
  const verify = (): void => verifyManifest({ do: 'verify', manifest, xattrs: 'trusted' });
  assert.throws(verify, isInitError({ exitCode: 78, stage: 'facts', what: /is of format 2, not 1$/ }));
});
