import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import { reportSchema } from '../../src/doctor/schema.ts';
import { changeVolume } from '../harness/changedDatabase.ts';
import { execOk, startContainer, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { debianImage, nixImage } from '../harness/images.ts';
import { build } from '../harness/nix.ts';
import { fixtures } from '../harness/paths.ts';
import {
  allowed,
  assertMended,
  bootPatient,
  diagnose,
  healthy,
  type Patient,
  removeTypedVolumes,
} from '../harness/patient.ts';
import { makeVolume, tmpfs } from '../harness/volume.ts';
import { makeWorkspace } from '../harness/workspace.ts';

after(removeTypedVolumes);

containerTest('where all is well, nothing fails, before the first boot and after it', async () => {
  await using volume = await makeVolume();
  const patient = await healthy(volume.name);
  for (const boots of [true, false]) {
    assert.deepEqual(await diagnose(patient), {
      exitCode: 0,
      failed: new Map(),
      summary: 'a boot here: strategy overlay',
    });
    if (boots) assert.equal((await bootPatient(patient, 'true')).exitCode, 0);
  }
});

for (const suite of ['bookworm', 'trixie', 'forky'] as const) {
  containerTest(`it asks the Nix of ${suite} for its settings`, async () => {
    await using container = await startIdle({
      image: await nixImage(suite),
      env: { NIX_CONFIG: 'sandbox = relaxed\nsandbox-fallback = false' },
    });
    const version = /\d\S+$/.exec(await execOk(container, 'nix', '--version'))?.[0] ?? 'none';
    const { stdout } = await container.exec(['nix-cache-init', 'doctor', '--json']);
    const { checks } = reportSchema.parse(JSON.parse(stdout));
    const found = Object.fromEntries(checks.map((check) => [check.check, check.found]));
    assert.equal(found['sandbox'], 'relaxed');
    assert.equal(found['nix'], `/usr/bin/nix-daemon ${version}`);
    assert.equal(found['build users'], 'none: builds run as root');
  });
}

containerTest('without SYS_ADMIN', async () => {
  await using volume = await makeVolume();
  await assertMended(
    { flags: ['-v', `${volume.name}:/nix-cache`] },
    {
      exitCode: 77,
      checks: { capability: /no CAP_SYS_ADMIN/ },
      summary: /refused with 77: mount: .*EPERM/,
    },
  );
});

// AppArmor's profile does the same: EACCES from mount(2) although the capability is there.
containerTest('where mounting is denied all the same', async () => {
  await using volume = await makeVolume();
  const profile = `seccomp=${join(fixtures, 'deny-mount.json')}`;
  const { flags } = await healthy(volume.name);
  await assertMended(
    { flags: [...flags, '--security-opt', profile] },
    {
      exitCode: 77,
      checks: { mounting: /^denied: EACCES$/ },
      summary: /refused with 77: mount: mounting is denied .*EACCES/,
    },
  );
});

containerTest('as another user than root', async () => {
  await using volume = await makeVolume();
  await assertMended(
    { flags: ['-v', `${volume.name}:/nix-cache`, '--user', '1000:1000'] },
    {
      exitCode: 77,
      checks: { user: /^uid 1000$/, capability: /no CAP_SYS_ADMIN/, access: /EACCES/ },
      summary: /refused with 77/,
    },
  );
});

containerTest('without a volume', async () => {
  await assertMended(
    { flags: allowed },
    { exitCode: 78, checks: { volume: /\/nix-cache: missing/ }, summary: /78: .*\/nix-cache does not exist/ },
  );
});

containerTest('with a volume on overlayfs', async () => {
  await using workspace = await makeWorkspace();
  const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => join(workspace.path, name));
  for (const path of [lower, upper, work]) await mkdir(path ?? '');
  const options = `o=lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await using volume = await makeVolume('-o', 'type=overlay', '-o', 'device=overlay', '-o', options);
  await assertMended(await healthy(volume.name), {
    exitCode: 78,
    checks: { volume: /on overlay$/ },
    summary: /78: .*overlayfs, which cannot be an upper layer/,
  });
});

containerTest('with a volume whose file system has no extended attributes', async () => {
  await using volume = await makeVolume('-o', 'type=ramfs', '-o', 'device=ramfs');
  await assertMended(await healthy(volume.name), {
    exitCode: 74,
    checks: { 'trusted xattrs': /^ENOTSUP|EOPNOTSUPP$/ },
    summary: /74: .*has no trusted xattrs/,
  });
});

containerTest('with a volume that is read-only', async () => {
  await using volume = await makeVolume();
  assert.equal((await bootPatient(await healthy(volume.name), 'true')).exitCode, 0);
  await assertMended(
    { flags: [...allowed, '-v', `${volume.name}:/nix-cache:ro`] },
    { exitCode: 74, checks: { access: /^read-only$/ }, summary: /74: .*EROFS/ },
  );
});

for (const [check, options] of [
  ['space', 'size=1m'],
  ['inodes', 'size=64m,nr_inodes=50'],
] as const) {
  containerTest(`with a new volume that has too little ${check}`, async () => {
    await using volume = await makeVolume(...tmpfs(options));
    await assertMended(await healthy(volume.name), {
      exitCode: 74,
      checks: { [check]: /free$/ },
      summary: /74: seed: .*ENOSPC/,
    });
  });
}

containerTest(
  'with a used volume that is full: it can be used still, and Nix frees what it can',
  async () => {
    await using volume = await makeVolume(...tmpfs('size=64m'));
    await using holder = await startContainer({
      volume: volume.name,
      flags: ['--entrypoint', 'sleep'],
      command: ['infinity'],
    });
    const patient = await healthy(volume.name);
    const garbage = 'head -c 10m /dev/urandom > /tmp/garbage; nix-store --add /tmp/garbage';
    assert.equal((await bootPatient(patient, 'sh', '-euc', garbage)).exitCode, 0);
    await holder.exec(['sh', '-c', 'cat /dev/zero > /nix-cache/ballast']);
    await assertMended(
      patient,
      { exitCode: 0, checks: { space: /^0 B of 64 MiB free$/ }, summary: /^a boot here: strategy overlay$/ },
      build('c'),
    );
  },
);

containerTest('with a volume that another container has', async () => {
  await using volume = await makeVolume();
  await using other = await startIdle({ volume: volume.name, network: 'none' });
  const inspected = await docker('inspect', '--format', '{{.Config.Hostname}}', other.name);
  await assertMended(await healthy(volume.name), {
    exitCode: 75,
    checks: { lock: new RegExp(`^held by ${inspected.stdout} `) },
    summary: new RegExp(`75: lock: the volume is in use by ${inspected.stdout} `),
  });
});

containerTest('beside that container doctor holds it up in nothing, and in it all is well', async () => {
  await using volume = await makeVolume();
  await using container = await startIdle({ volume: volume.name });
  const inside = await container.exec(['nix-cache-init', 'doctor', '--json']);
  assert.equal(inside.exitCode, 0, inside.stdout);
  const { checks, chosen } = reportSchema.parse(JSON.parse(inside.stdout));
  assert.equal(chosen, 'overlay');
  assert.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  const found = (name: string): string => checks.find(({ check }) => check === name)?.found ?? '';
  assert.match(found('lock'), /^held here by .* \(PID 1,/);
  assert.match(found('daemon socket'), /accepts connections$/);
  assert.equal((await diagnose(await healthy(volume.name))).exitCode, 75);
  assert.equal((await container.exec(build('c'))).exitCode, 0);
});

containerTest('with a root file system that is read-only and nowhere to build', async () => {
  await using volume = await makeVolume();
  const { flags } = await healthy(volume.name);
  const patient = { flags: [...flags, '--read-only', '-e', 'HOME=/nix/var/nix'] };
  const built = await bootPatient(patient, ...build('c'));
  assert.notEqual(built.exitCode, 0);
  await assertMended(
    patient,
    { exitCode: 0, checks: { scratch: /^\/tmp: EROFS$/ }, summary: /^a boot here: strategy overlay$/ },
    build('c'),
  );
});

containerTest('in an image without Nix', async () => {
  await using volume = await makeVolume();
  const patient = {
    ...(await healthy(volume.name)),
    image: await debianImage(),
    before: ['rm /usr/bin/nix*'],
  };
  const { failed } = await diagnose(patient);
  assert.match(failed.get('nix')?.remedy ?? '', /^docker build --build-arg BASE=/);
  await assertMended(patient, {
    exitCode: 78,
    checks: { store: /\/nix\/store does not exist/ },
    summary: /78: .*\/nix\/store does not exist: ENOENT/,
  });
});

containerTest('with a volume that a newer Nix has used', async () => {
  await using volume = await makeVolume();
  const patient = await healthy(volume.name);
  assert.equal((await bootPatient(patient, 'true')).exitCode, 0);
  await changeVolume(volume, (db) => writeFileSync(`${db}/schema`, '99'));
  await assertMended(patient, {
    exitCode: 78,
    checks: { schema: /^image 10, volume 99$/ },
    summary: /78: reconcile: .* is of schema 99/,
  });
});

containerTest('with a damaged manifest', async () => {
  await using volume = await makeVolume();
  const patient = await healthy(volume.name);
  assert.equal((await bootPatient(patient, 'true')).exitCode, 0);
  await volume.shell('echo "{" > /nix-cache/.nix-cache-init/manifest.json');
  await assertMended(patient, {
    exitCode: 78,
    checks: { manifest: /manifest\.json is damaged$/ },
    summary: /78: facts: .*manifest\.json is damaged/,
  });
});

containerTest('with a configuration key that is none', async () => {
  await using volume = await makeVolume();
  const { flags } = await healthy(volume.name);
  const patient: Patient = { flags: [...flags, '-e', 'NIX_CACHE_INIT_LOG_LEVLE=info'] };
  await assertMended(patient, {
    exitCode: 78,
    checks: { configuration: /unknown key NIX_CACHE_INIT_LOG_LEVLE/ },
    summary: /78: config: unknown key/,
  });
});

containerTest('with a group of build users that is not there', async () => {
  await using volume = await makeVolume();
  const { flags } = await healthy(volume.name);
  await assertMended(
    { flags: [...flags, '-e', 'NIX_CONFIG=build-users-group = builders'] },
    {
      exitCode: 0,
      checks: { 'build users': /^there is no group builders$/ },
      summary: /^a boot here: strategy overlay$/,
    },
    build('c'),
  );
});
