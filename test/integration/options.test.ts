import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { keyNames } from '../../src/config/keys.ts';
import { program } from '../harness/checking.ts';
import { startLowerDaemon } from '../harness/lowerDaemon.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { namespacesMissing, namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { repository } from '../harness/paths.ts';

const page = readFileSync(join(repository, 'docs/configuration.md'), 'utf8');
const examples = Array.from(
  page.matchAll(/^\| `([\w.]+)` \| `(--[^`]+)` \|/gm),
  ([, key = '', flags = '']) => ({
    key,
    flags,
  }),
);

test('docs/configuration.md has an example of each key', () => {
  assert.deepEqual(examples.map(({ key }) => key).sort(), [...keyNames].sort());
});

suite('the examples of docs/configuration.md boot as they stand', () => {
  const ground = new AsyncDisposableStack();
  let nix: NixMachine;
  before(async () => {
    if (namespacesMissing !== undefined) return;
    nix = ground.use(await makeNixMachine({ volume: 'ext4', size: '300M' }));
    ground.use(await startLowerDaemon(nix, 'B'));
    await nix.machine.shell(
      'mkdir -p other-cache lowers; cp -a images/C lowers/a; mount -t tmpfs other other-cache',
    );
  });
  after(() => ground.disposeAsync());

  for (const { key, flags } of examples) {
    namespaceTest(`${key}: ${flags}`, async () => {
      // A shell reads the flags, as it would the reader's.
      const script = `exec /init ${flags} -- ${program} config --json ${flags}`;
      const { exitCode, stdout, stderr } = await bootInNamespace(nix.machine, {
        program: ['sh', '-euc', script],
        args: [],
      });
      assert.equal(exitCode, 0, stderr);
      assert.match(JSON.parse(stdout)[key].origin, /^flag --/);
      // Nothing of what is asked for is passed over or not to be had.
      assert.doesNotMatch(stderr, /going on|"level":50|: error: /);
    });
  }
});
