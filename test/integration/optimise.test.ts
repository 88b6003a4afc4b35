import assert from 'node:assert/strict';
import { suites } from '../harness/base.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeUpgradeMachine } from '../harness/upgradeMachine.ts';

/** What of the image's paths is in upper/. */
const copied = `
copied() {
  for path in /images/A/store/*-*; do
    name=\${path##*/}
    if [ -e /nix-cache/upper/$name ] && [ ! -c /nix-cache/upper/$name ]; then echo $name; fi
  done
}`;

for (const suite of suites) {
  namespaceTest(`${suite}: optimising the store does no harm, now or after an upgrade`, async () => {
    await using ground = await makeUpgradeMachine(suite);
    await ground.nix.machine.shell('echo auto-optimise-store = true >>etc/nix/nix.conf');
    // The same text is one file: the nix.conf of the user has its say.
    const paths = await ground.run(
      'A',
      `set -- $(paths old d c e)
       test $(stat -c %i $3/b) = $(stat -c %i $4/b)
       echo $*`,
    );
    const [old, , c] = paths.split(' ');
    // Nix 2.26 and later fail at the first file of the image: a copy is another file to them, if not to the kernel.
    const linked = await ground.run('A', `${copied}\nnix-store --optimise || true\nsound\ncopied`);
    assert.notEqual(linked, '', 'to link a file of the image is to copy it');
    const undone = await ground.run(
      'A',
      `${copied}\ncopied\nthere old d e >/dev/null\nnix store optimise || true`,
    );
    assert.equal(undone, '');
    await ground.run(
      'B',
      `invalid ${old} # a copy of what went with its image
       there new c d e
       of_image B ${c}
       nix-collect-garbage -d
       sound
       if ls -A /nix-cache/upper | grep tmp-link >&2; then exit 1; fi`,
    );
  });
}
