import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { envName, flagName, keyNames } from '../../src/config/keys.ts';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import type { Outcome } from '../harness/run.ts';

const directory = '/etc/nix-cache-init';

/** What stands in the place of the configuration file: what makes it, what is said of it. */
const odd: Record<string, [string, RegExp]> = {
  'a FIFO': ['mkfifo config.json', /config\.json is not a regular file: EINVAL/],
  'a device without an end': ['ln -s /dev/zero config.json', /not a regular file: EINVAL/],
  '100 MB': ['truncate -s 100M config.json', /more than 1048576 bytes: EFBIG/],
  'a directory': ['mkdir config.json', /cannot read .*config\.json: EISDIR/],
  'cut off': ['printf \'{"strategy": "no\' >config.json', /config\.json is not JSON: .*: EINVAL/],
  'not UTF-8': ['printf \'{"cacheDir": "/\\377"}\' >config.json', /not UTF-8: EILSEQ/],
};

namespaceTest('a boot does not hang on an odd configuration file, nor on one of any size', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  for (const [make, says] of Object.values(odd)) {
    rmSync(machine.path(directory), { recursive: true, force: true });
    mkdirSync(machine.path(directory));
    await machine.shell(`cd .${directory}; ${make}`);
    assertFails(await bootInNamespace(machine, { args: plain('echo', 'the command ran') }), 78, says);
  }
});

// execve(2) takes neither a NUL nor half a surrogate pair.
const anyWord = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((text) => !text.includes('\0'))
  .chain((text) => fc.constantFrom(text, `-${text}`, `--${text}`, `[${text}]`, `{"${text}":1}`));
const anyFlag = fc.tuple(fc.constantFrom(...keyNames), anyWord);

namespaceTest('the program answers whatever it is told: 0, 64 or 78, and one line', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const program = ['/opt/nix-cache-init/bin/nix-cache-init', 'config'];
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyWord),
      anyFlag,
      anyFlag,
      fc.boolean(),
      async (words, [key, text], [other, value], told) => {
        const args = [...(told ? [`--${flagName(key)}=${text}`] : []), ...words];
        const outcome = await bootInNamespace(machine, { program, args, env: { [envName(other)]: value } });
        assertAnswered(outcome);
      },
    ),
    { numRuns: 25 },
  );
});

function assertAnswered(outcome: Outcome): void {
  if (outcome.exitCode === 0) assert.equal(outcome.stderr, '');
  else assertFails(outcome, outcome.exitCode === 64 ? 64 : 78, /./);
}
