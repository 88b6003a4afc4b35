import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Suite } from './base.ts';
import { assertVerified } from './nix.ts';
import { type ImageName, makeNixMachine, type NixMachine } from './nixMachine.ts';
import { tail } from './run.ts';

/** One volume and the images that take turns on it, as upgradeGround.ts has them, without an engine. */
export interface UpgradeMachine extends AsyncDisposable {
  nix: NixMachine;
  /**
   * Runs a shell script in a new container of an image, in whose store everything is right before: Nix says so, and so does
   * upper/. It has the functions below.
   */
  run(image: ImageName, script: string, env?: Record<string, string>): Promise<string>;
}

/** @param images those that there are to be. */
export async function makeUpgradeMachine(
  suite: Suite,
  images: readonly ImageName[] = ['A', 'B'],
): Promise<UpgradeMachine> {
  const nix = await makeNixMachine({ suite, images });
  const { machine } = nix;
  const said = (file: string): string => readFileSync(machine.path(file), 'utf8');
  return {
    nix,
    async run(image, script, env = {}) {
      await nix.switchImage(image);
      await machine.shell('rm -f verified whiteouts');
      const command = ['sh', '-euc', `${functions}\nsound\n${script}`];
      const { exitCode, stdout, stderr } = await nix.boot(command, { env });
      assert.equal(exitCode, 0, tail(`${script}\n${stdout}\n${stderr}`));
      assertVerified({ exitCode, stdout: '', stderr: said('/verified') });
      assert.equal(said('/whiteouts'), '');
      return stdout.trim();
    },
    [Symbol.asyncDispose]: () => nix[Symbol.asyncDispose](),
  };
}

const functions = `
# Nix finds everything whole, and upper/ hides nothing of the image; what they say is looked at when the boot is over.
sound() {
  nix-store --verify --check-contents 2>>/verified
  find /nix-cache/upper -type c >>/whiteouts
}
# Builds packages: their paths, one a line.
paths() {
  for name; do set -- "$@" -A "$name"; shift; done
  nix-build /packages.nix --no-out-link "$@"
}
# The same, and no builder runs for it.
there() {
  paths "$@" 2>/said || { cat /said >&2; exit 1; }
  if grep "building '" /said >&2; then exit 1; fi
}
valid() { nix-store --check-validity "$@"; }
invalid() {
  if nix-store --check-validity "$1" 2>/said; then echo "$1 is valid" >&2; exit 1; fi
  grep -q 'is not valid' /said || { cat /said >&2; exit 1; }
}
# All of a path; times too, for what is built twice may be equal but for them.
whole() {
  cd "$1"
  find . -printf '%P %M %U:%G %T@ %l\\n' | sort
  find . -type f | sort | xargs head -n -0
  cd /
}
# That a path is an image's, and nothing of it in upper/.
of_image() {
  whole "$2" >/seen
  whole "/images/$1/store/\${2##*/}" >/shipped
  test -s /shipped
  diff -u /shipped /seen >&2
  test ! -e "/nix-cache/upper/\${2##*/}"
}
`;
