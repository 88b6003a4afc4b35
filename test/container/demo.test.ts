import assert from 'node:assert/strict';
import { containerTest } from '../harness/containerTest.ts';
import { uniqueName } from '../harness/docker.ts';
import { repository } from '../harness/paths.ts';
import { run } from '../harness/run.ts';

// Its own name for what it makes, so that its cleaning up stays clear of the tests beside it.
const env = { NCI_TEST_RUN: uniqueName('demo'), NCI_TEST_KEEP_IMAGES: '1' };

for (const [where, flags] of [
  ['Docker', []],
  ['Linux namespaces', ['--namespaces']],
] as const) {
  containerTest(`the demo shows the main job in ${where}`, async () => {
    const args = ['--disable-warning=ExperimentalWarning', 'tools/demo.ts', ...flags];
    const result = await run(process.execPath, args, { cwd: repository, env });
    assert.equal(result.exitCode, 0, result.stderr);
    assert.match(result.stdout, new RegExp(`^${where}.*Nix`, 'm'));
    assert.match(result.stdout, /4 paths fetched, 0 built/);
    assert.match(result.stdout, /0 paths fetched, 0 built/);
    assert.match(result.stdout, /there at once: \/nix\/store\//);
  });
}
