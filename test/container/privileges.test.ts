import assert from 'node:assert/strict';
import { boot, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertFails, assertOneWarning, assertQuiet } from '../harness/failureLine.ts';
import { capability, capabilitySet, showStatus, statusField } from '../harness/namespaceUsers.ts';
import { build, nixProcesses } from '../harness/nix.ts';
import { startSandboxed } from '../harness/sandbox.ts';
import { makeVolume } from '../harness/volume.ts';

const { sysAdmin } = capability;
const plainInit = { NIX_CACHE_INIT_STRATEGY: 'none' };

containerTest('with --cap-add SYS_ADMIN the store is mounted, and the command has no SYS_ADMIN', async () => {
  await using volume = await makeVolume();
  const command = ['sh', '-c', 'cat /proc/self/status /proc/mounts'];
  const outcome = await boot({ volume: volume.name, command });
  assertQuiet(outcome);
  assert.match(outcome.stdout, /^overlay \/nix\/store /m);
  for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'] as const)
    assert.equal(capabilitySet(outcome.stdout, set) & sysAdmin, 0n, set);
  const kept = await boot({ volume: volume.name, command, env: { NIX_CACHE_INIT_CAPABILITIES: 'keep' } });
  assert.equal(capabilitySet(kept.stdout, 'Eff') & sysAdmin, sysAdmin);
  assert.equal(capabilitySet(outcome.stdout, 'Eff'), capabilitySet(kept.stdout, 'Eff') & ~sysAdmin);
});

containerTest('in a privileged container the command keeps SYS_ADMIN, with a list it does not', async () => {
  // As --privileged; an engine that is itself confined has no SYS_RESOURCE to give, so here the kernel knows fewer.
  const script = 'echo 20 >/last; busybox mount --bind /last /proc/sys/kernel/cap_last_cap; exec /init "$@"';
  const privileged = {
    flags: [
      ...['--cap-add', 'ALL', '--cap-drop', 'SYS_RESOURCE', '--entrypoint', 'sh'],
      ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'systempaths=unconfined'],
    ],
    before: ['-euc', script, 'sh'],
    command: showStatus,
  };
  const kept = await boot({ ...privileged, env: plainInit });
  assert.equal(capabilitySet(kept.stdout, 'Eff') & sysAdmin, sysAdmin, kept.stderr);
  const listed = await boot({
    ...privileged,
    env: { ...plainInit, NIX_CACHE_INIT_CAPABILITIES: '["KILL"]' },
  });
  assert.equal(capabilitySet(listed.stdout, 'Bnd'), 1n << 5n, listed.stderr);
});

const clients: Record<string, Record<string, string>> = {
  'root without SYS_ADMIN': { NIX_REMOTE: 'daemon' },
  'a user with no new privileges': { NIX_CACHE_INIT_USER: 'alice', NIX_CACHE_INIT_NO_NEW_PRIVILEGES: 'true' },
};

for (const [name, env] of Object.entries(clients)) {
  containerTest(`nix-daemon builds in its sandbox for ${name}, also after a crash`, async () => {
    await using volume = await makeVolume();
    const script = `
      ${build('c').join(' ')} && echo first built
      until [ -e /tmp/go ]; do sleep 0.1; done
      ${build('d').join(' ')} && echo second built
      exec sleep infinity`;
    const command = ['sh', '-c', script];
    await using container = await startSandboxed({ volume: volume.name, env, command });
    await container.waitForLog(/first built/);
    const before = await nixProcesses(container);
    assert.notEqual(before.length, 0, 'a daemon runs');
    await container.exec(['sh', '-c', `kill -KILL ${before.join(' ')}; touch /tmp/go`]);
    await container.waitForLog(/second built/);
    const [daemon = ''] = await nixProcesses(container);
    assert.ok(!before.includes(daemon));
    const status = (await container.exec(['cat', `/proc/${daemon}/status`])).stdout;
    assert.equal(capabilitySet(status, 'Eff') & sysAdmin, sysAdmin);
    assert.equal(statusField(status, 'NoNewPrivs'), '0');
  });
}

containerTest('the configured user has its streams and home, and the store', async () => {
  await using volume = await makeVolume();
  const script =
    'id -un; echo "$HOME"; echo again >/dev/stdout; echo errors >/dev/stderr; nix-store --version';
  const outcome = await boot({
    volume: volume.name,
    env: { NIX_CACHE_INIT_USER: 'alice' },
    command: ['sh', '-euc', script],
  });
  assert.match(outcome.stdout, /^alice\n\/home\/alice\nagain\nnix-store/, outcome.stderr);
  assert.equal(outcome.stderr, 'errors');
});

containerTest('docker run --user: the command is that user, quietly, and can be no other', async () => {
  const user = { flags: ['--user', '1000'], command: ['sh', '-c', 'id -u; id -G'] };
  const plain = await boot({ ...user, env: plainInit });
  assert.deepEqual(plain, { exitCode: 0, stdout: '1000\n1000', stderr: '' });
  const same = await boot({ ...user, env: { ...plainInit, NIX_CACHE_INIT_USER: 'alice' } });
  assert.deepEqual(same, plain);
  const other = await boot({ ...user, env: { ...plainInit, NIX_CACHE_INIT_USER: 'root' } });
  assertFails(other, 77, /run: .*uid 1000.*: EPERM \(docker run --user root\)/);
});

containerTest('with SYS_ADMIN and without SETPCAP: one warning, and the command runs', async () => {
  const flags = ['--cap-drop', 'ALL', '--cap-add', 'SYS_ADMIN'];
  const outcome = await boot({ flags, env: plainInit, command: showStatus });
  assert.equal(outcome.exitCode, 0);
  assertOneWarning(outcome, /SYS_ADMIN.*--cap-add SETPCAP/);
  const none = await boot({
    grant: 'nothing',
    flags: ['--cap-drop', 'ALL'],
    env: plainInit,
    command: showStatus,
  });
  assert.deepEqual([none.exitCode, none.stderr], [0, '']);
});

containerTest('docker stop of a command without SYS_ADMIN unmounts and keeps what was made', async () => {
  await using volume = await makeVolume();
  {
    await using container = await startIdle({ volume: volume.name });
    await container.exec(['sh', '-c', 'echo kept >/nix/store/kept']);
    const { stdout } = await container.exec(['cat', '/proc/1/status']);
    assert.equal(capabilitySet(stdout, 'Eff') & sysAdmin, sysAdmin);
    await docker('stop', container.name);
    assert.equal(await container.waitForEnd(), 143);
    assert.doesNotMatch((await container.logs()).stderr, /could not undo/);
  }
  const next = await boot({ volume: volume.name, command: ['cat', '/nix/store/kept'] });
  assert.deepEqual(next, { exitCode: 0, stdout: 'kept', stderr: '' });
});
