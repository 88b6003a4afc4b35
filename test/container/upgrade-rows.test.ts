import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { type Container, execOk } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { imageRows, type Row, volumeRows } from '../harness/databaseRows.ts';
import { packageOf } from '../harness/nix.ts';
import { upgradeGround } from '../harness/upgradeGround.ts';
import { upgradeImage } from '../harness/upgradeImages.ts';

/**
 * Leaves one path of each kind, and says which: built here (ultimate), signed, with a reference; content-addressed;
 * fetched from a binary cache (signed, not ultimate), with a deriver.
 */
const make = `
exec 3>&1 >&2
nix-store --generate-binary-cache-key cache-1 /tmp/secret /tmp/public
e=$(nix-build /packages.nix -A e --no-out-link)
d=$(nix-build /packages.nix -A d --no-out-link)
nix store sign --key-file /tmp/secret $d
echo contents >/tmp/note
note=$(nix-store --add /tmp/note)
nix copy --to 'file:///tmp/cache?secret-key=/tmp/secret' $e
nix-store --delete $e
nix copy --from file:///tmp/cache --option trusted-public-keys "$(cat /tmp/public)" $e
echo $d $note $e >&3
`;

for (const suite of suites) {
  containerTest(`${suite}: an upgrade keeps all that Nix knew of what stays`, async () => {
    await using ground = await upgradeGround(suite);
    const image = await upgradeImage(suite, 'B');
    const ofImage = await imageRows(image);
    let before: Record<string, Row>;
    let infoBefore: unknown;
    let mine: string[];
    {
      await using a = await ground.start('A');
      mine = (await execOk(a, 'sh', '-euc', make)).split(' ');
      before = await volumeRows(a);
      infoBefore = await pathInfo(a, mine);
      assertAllKinds(mine.map((path) => before[path]));
    }
    await using b = await ground.start('B');
    const after = await volumeRows(b);
    for (const path of mine) assert.deepEqual(after[path], before[path], path);
    assert.deepEqual(await pathInfo(b, mine), infoBefore);
    // When a path was registered may be of either: they differ for equal paths that were built twice.
    for (const [path, row] of Object.entries(ofImage))
      assert.deepEqual({ ...after[path], registrationTime: row['registrationTime'] }, row, path);
  });
}

/** That the columns hold something in one row and something else in another: equal rows say nothing otherwise. */
function assertAllKinds([built, added, fetched]: (Row | undefined)[]): void {
  const refs = Array.isArray(built?.['refs']) ? built['refs'].map(packageOf) : [];
  assert.deepEqual([built?.['ultimate'], fetched?.['ultimate']], [1, null]);
  assert.match(String(built?.['sigs']), /^cache-1:/);
  assert.match(String(fetched?.['sigs']), /^cache-1:/);
  assert.match(String(added?.['ca']), /^fixed:r:sha256:/);
  assert.match(String(fetched?.['deriver']), /-e\.drv$/);
  assert.deepEqual(refs, ['c']);
}

async function pathInfo(container: Container, paths: string[]): Promise<unknown> {
  return JSON.parse(await execOk(container, 'nix', 'path-info', '--json', '--sigs', ...paths));
}
