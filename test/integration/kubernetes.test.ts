import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { modules, podOf, readManifests, typeCheck } from '../harness/kubernetes.ts';

const manifests = await readManifests();

test('the manifests are of the published schemas', async () => {
  assert.ok(manifests.length >= 5);
  for (const { kind, ...rest } of manifests) {
    const { [kind]: Model } = await import(modules[kind]);
    new Model(structuredClone(rest)).validate();
  }
});

test('the manifests have no field and no value that the published schemas do not know', async () => {
  const { exitCode, stdout } = await typeCheck(manifests);
  assert.equal(exitCode, 0, stdout);
});

test('a wrong field, a wrong value and a missing one are found', async () => {
  const [claim] = manifests;
  assert.ok(claim !== undefined);
  const wrong: [object, RegExp][] = [
    [{ specs: {} }, /specs.* does not exist/],
    [{ apiVersion: 'v2' }, /"v2"/],
    [{ spec: { containers: [{ image: 'x' }] } }, /name.* (is )?missing/],
  ];
  for (const [change, says] of wrong) {
    const kind = 'spec' in change ? 'Pod' : claim.kind;
    const { exitCode, stdout } = await typeCheck([{ ...claim, kind, ...change }]);
    assert.notEqual(exitCode, 0);
    assert.match(stdout, says);
  }
});

for (const manifest of manifests) {
  const pod = podOf(manifest);
  if (pod === undefined) continue;
  const [container] = pod.containers;
  const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  const { kind, metadata } = manifest;

  test(`${kind} ${metadata.name}: init is done before the kubelet loses patience`, async () => {
    const { config } = await loadConfig({ flags: new Map(), env });
    assert.ok(config['shutdown.grace'] < (pod.terminationGracePeriodSeconds ?? 30) * 1000);
  });

  test(`${kind} ${metadata.name}: SYS_ADMIN is where an overlay is, and nowhere else`, () => {
    const { capabilities, allowPrivilegeEscalation } = container?.securityContext ?? {};
    assert.deepEqual(capabilities?.drop, ['ALL']);
    const overlay = env['NIX_CACHE_INIT_STRATEGY'] === undefined;
    assert.equal(capabilities?.add?.includes('SYS_ADMIN'), overlay);
    assert.equal(allowPrivilegeEscalation, overlay);
  });

  const probes = [container?.startupProbe, container?.livenessProbe].filter((probe) => probe !== undefined);
  test(`${kind} ${metadata.name}: its probes ask init, and have the time for it`, () => {
    for (const { exec, timeoutSeconds = 1 } of probes) {
      const [program, command, ...rest] = exec?.command ?? [];
      assert.equal(program, 'nix-cache-init');
      assert.match(command ?? '', /^(wait|status)$/);
      const wait = /^--timeout=(\d+)s$/.exec(rest.join(' '))?.[1];
      if (command === 'wait') assert.ok(Number(wait) < timeoutSeconds);
    }
  });
}
