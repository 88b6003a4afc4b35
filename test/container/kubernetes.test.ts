import assert from 'node:assert/strict';
import { boot, startContainer } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { asBoot, podOf, readManifests } from '../harness/kubernetes.ts';
import { assertBuilt, assertNothingBuilt, build } from '../harness/nix.ts';
import { makeVolume } from '../harness/volume.ts';

const manifests = await readManifests();

/** What Docker is told of a Pod of the manifests. */
function booted(name: string, volume: string) {
  const manifest = manifests.find(
    ({ kind, metadata }) => kind !== 'PersistentVolumeClaim' && metadata.name === name,
  );
  const pod = manifest && podOf(manifest);
  assert.ok(pod !== undefined, name);
  return {
    ...asBoot(pod, volume),
    probes: pod.containers.flatMap((one) => [one.startupProbe, one.livenessProbe]),
  };
}

containerTest('the Pod has all that an overlay takes, and its probes are answered', async () => {
  await using volume = await makeVolume();
  const { probes, ...options } = booted('nix', volume.name);
  for (const _ of [1, 2]) {
    await using container = await startContainer({ ...options, command: ['sleep', 'infinity'] });
    for (const command of probes.flatMap((probe) => (probe?.exec?.command ? [probe.exec.command] : []))) {
      const { exitCode, stderr } = await container.exec(command);
      assert.equal(exitCode, 0, `${command.join(' ')}: ${stderr}`);
    }
    const outcome = await container.exec(build('c'));
    if (_ === 1) assertBuilt(outcome, 'c');
    else assertNothingBuilt(outcome);
    assert.match((await container.exec(['cat', '/proc/mounts'])).stdout, /^\S+ \/nix\/store overlay /m);
    // Nothing is amiss: no word of what is not granted.
    assert.equal((await container.logs()).stderr.replaceAll(/^accepted connection.*\n?/gm, ''), '');
  }
});

containerTest('what the Job leaves in the cache its readers have, who can only read it', async () => {
  await using volume = await makeVolume();
  const { probes: _, ...job } = booted('fill-nix-cache', volume.name);
  const filled = await boot({ ...job, command: build('c') });
  const path = assertBuilt(filled, 'c');
  const { probes: __, ...reader } = booted('nix-readers', volume.name);
  const script = `${build('c').join(' ')}; if touch /nix-cache/x 2>/dev/null; then echo writable; fi`;
  const readers = await Promise.all([1, 2].map(() => boot({ ...reader, command: ['sh', '-euc', script] })));
  for (const outcome of readers) assert.equal(assertNothingBuilt(outcome), path);
});
