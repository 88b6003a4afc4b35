import assert from 'node:assert/strict';
import { boot } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { nixImage } from '../harness/images.ts';
import { assertNothingBuilt, build, builtPath } from '../harness/nix.ts';
import { bare, makeVolume } from '../harness/volume.ts';

containerTest('the main command gets the environment of the container, and nothing of ours', async () => {
  await using volume = await makeVolume();
  const flags = ['--hostname', 'here', '-e', 'ONE=1'];
  const without = await bare(await nixImage(), ['env'], ...flags);
  const result = await boot({ volume: volume.name, flags, command: ['env'] });
  const names = (text: string): string[] => text.split('\n').sort();
  // For clients of the daemon, the contract allows this one.
  const ours = names(result.stdout).filter((line) => line !== 'NIX_REMOTE=daemon');
  assert.deepEqual(ours, names(without.stdout));
});

containerTest('the main command has no file of ours open', async () => {
  await using volume = await makeVolume();
  const result = await boot({ volume: volume.name, command: ['ls', '/proc/self/fd'] });
  // ls itself opens the directory.
  assert.deepEqual(result.stdout.split('\n'), ['0', '1', '2', '3']);
});

containerTest('not being PID 1 is no obstacle', async () => {
  await using volume = await makeVolume();
  const flags = ['--entrypoint', 'sh'];
  const before = ['-c', '/init "$@"; exit $?', 'sh'];
  const first = await boot({ volume: volume.name, flags, before, command: build('c') });
  const path = builtPath(first);
  const second = await boot({ volume: volume.name, flags, before, command: build('c') });
  assert.equal(assertNothingBuilt(second), path);
  const failing = await boot({ volume: volume.name, flags, before, command: ['sh', '-c', 'exit 21'] });
  assert.equal(failing.exitCode, 21);
});
