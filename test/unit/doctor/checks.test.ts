import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSize } from '../../../src/config/units.ts';
import type { Finding } from '../../../src/doctor/check.ts';
import { kernelChecks, namespaceCheck } from '../../../src/doctor/kernel.ts';
import { limitChecks } from '../../../src/doctor/limits.ts';
import { lockCheck } from '../../../src/doctor/lock.ts';
import { nixChecks } from '../../../src/doctor/nix.ts';
import { placeChecks } from '../../../src/doctor/places.ts';
import { commandCheck, privilegeChecks, remedyFor } from '../../../src/doctor/privilege.ts';
import { notTried } from '../../../src/doctor/probe/mounting.ts';
import { volumeChecks } from '../../../src/doctor/volume.ts';
import { InitError } from '../../../src/errors.ts';
import { makeConfig, makeCredentials, makeFacts, makeVolume } from '../fixtures.ts';
import { makeFeatures, makeNix, makeState, mounted } from './cases.ts';

const facts = makeFacts();
const config = makeConfig();
const kernel = { release: '6.1', overlay: true };
const free = { seccomp: 'filter', label: 'unconfined' } as const;
const places = { rootReadOnly: false, runDir: true, scratch: { path: '/tmp', errno: null } };
const holder = { name: 'c0ffee123456 (PID 1)', host: 'c0ffee123456' };
const held = { state: 'held', by: holder, here: false } as const;
const newVolume = 'docker run -v new-cache:/nix-cache';

const error = (what: string): InitError =>
  new InitError({ stage: 'facts', what, errno: 'EINVAL', remedy: 'rm it', exitCode: 78 });

/** Where all is well no check fails, so whatever fails below fails for its own reason. */
const healthy: [string, Finding[]][] = [
  ['command', [commandCheck(config, null)]],
  ['kernel', kernelChecks(kernel, mounted)],
  ['privilege', privilegeChecks(facts, free, mounted)],
  ['places', placeChecks(facts, places)],
  ['volume', volumeChecks(facts, config, makeState(), mounted)],
  ['lock', [lockCheck({ state: 'free' }, config)]],
  ['nix', nixChecks(facts, config, makeNix(), undefined)],
];

for (const [family, findings] of healthy) {
  test(`${family}: where all is well nothing fails`, () => {
    assert.ok(findings.length > 0);
    for (const finding of findings) assert.deepEqual({ ...finding, ok: true }, finding);
  });
}

/** What fails, what is found and what is to be typed. */
type Fault = [
  name: string,
  findings: Finding[],
  check: string,
  found: string,
  remedy: string,
  blocks?: [exitCode: number, errno: string],
];

const onVolume = (
  changes: Parameters<typeof makeState>[0],
  configured = config,
  trial = mounted,
  known = facts,
): Finding[] => volumeChecks(known, configured, makeState(changes), trial);
const kind = (volume: typeof facts.volume): Finding[] =>
  volumeChecks(makeFacts({ volume }), config, undefined, notTried);
const readOnly = makeFacts({ volume: makeVolume({ readOnly: true }) });
const user = makeFacts({ root: false, credentials: makeCredentials({ uids: [7, 7, 7] }), sysAdmin: false });
const room = (freeBytes: number, inodes?: number) => ({
  bytes: { free: freeBytes, total: 2 ** 30 },
  inodes: inodes === undefined ? undefined : { free: inodes, total: 1000 },
});
const sandboxed = { sandbox: 'true', sandboxFallback: false, buildUsersGroup: '' };
const fullSeed = [74, 'ENOSPC'] as [number, string];

const faults: Fault[] = [
  [
    'no overlayfs',
    kernelChecks({ release: '6.1', overlay: false }, { mounting: null, overlay: 'ENODEV' }),
    'kernel',
    'Linux 6.1 without overlayfs',
    'modprobe overlay # on the host',
    [77, 'ENODEV'],
  ],
  ['not root', privilegeChecks(user, free, notTried), 'user', 'uid 7', 'docker run --user root'],
  [
    'no capability',
    privilegeChecks(makeFacts({ sysAdmin: false }), free, notTried),
    'capability',
    'no CAP_SYS_ADMIN',
    'docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined',
  ],
  [
    'denied',
    privilegeChecks(facts, { ...free, label: 'docker-default' }, { mounting: 'EACCES', overlay: undefined }),
    'mounting',
    'denied: EACCES',
    'docker run --security-opt apparmor=unconfined',
    [77, 'EACCES'],
  ],
  [
    'a /run that cannot be mounted on',
    placeChecks(makeFacts({ runReadOnly: true }), { ...places, runDir: false }),
    '/run',
    'read-only',
    'docker run --tmpfs /run',
    [74, 'EROFS'],
  ],
  [
    'nowhere to build',
    placeChecks(facts, { ...places, scratch: { path: '/t', errno: 'EROFS' } }),
    'scratch',
    '/t: EROFS',
    'docker run --tmpfs /t:exec',
  ],
  [
    'a user that is none',
    [commandCheck(makeConfig({ user: 'alcie' }), error('there is no user alcie'))],
    'command',
    'there is no user alcie',
    'rm it',
    [78, 'EINVAL'],
  ],
  ['no volume', kind({ kind: 'missing' }), 'volume', '/nix-cache: missing', 'docker run -v cache:/nix-cache'],
  [
    'a file',
    kind({ kind: 'not a directory' }),
    'volume',
    '/nix-cache: not a directory',
    'docker run -v cache:/nix-cache',
  ],
  [
    'no mount',
    kind(makeVolume({ mounted: false, fileSystem: 'overlay' })),
    'volume',
    '/nix-cache is no mount, on overlay',
    'docker run -v cache:/nix-cache',
  ],
  ['an overlay', kind(makeVolume({ fileSystem: 'overlay' })), 'volume', '/nix-cache on overlay', newVolume],
  [
    'read-only',
    onVolume({ tried: undefined }, config, mounted, readOnly),
    'access',
    'read-only',
    'docker run -e NIX_CACHE_INIT_ACCESS=read-only',
  ],
  [
    'somebody else’s',
    onVolume({ tried: { refused: 'EACCES' } }),
    'access',
    'cannot be written to: EACCES',
    'docker run --user root',
    [77, 'EACCES'],
  ],
  [
    'broken',
    onVolume({ tried: { refused: 'EIO' } }),
    'access',
    'cannot be written to: EIO',
    newVolume,
    [74, 'EIO'],
  ],
  ...(['trusted xattrs', 'd_type', 'whiteouts', 'flock'] as const).map(
    (feature): Fault => [
      `no ${feature}`,
      onVolume({ tried: makeFeatures({ [feature]: 'ENOTSUP' }) }),
      feature,
      'ENOTSUP',
      newVolume,
      [74, 'ENOTSUP'],
    ],
  ),
  [
    'no user xattrs in a user namespace',
    onVolume(
      { tried: makeFeatures({ 'user xattrs': 'ENOTSUP' }) },
      config,
      mounted,
      makeFacts({ userNamespace: true }),
    ),
    'user xattrs',
    'ENOTSUP',
    newVolume,
    [74, 'ENOTSUP'],
  ],
  [
    'refused by overlayfs',
    onVolume({}, config, { mounting: null, overlay: 'EINVAL' }),
    'upper layer',
    'EINVAL',
    newVolume,
    [74, 'EINVAL'],
  ],
  ['apart', onVolume({ together: false }), 'layers', 'two mounts', newVolume, [74, 'EXDEV']],
  [
    'full and new',
    onVolume({ seeded: false, room: room(9 * 2 ** 20 - 1) }),
    'space',
    '9.0 MiB of 1 GiB free',
    newVolume,
    fullSeed,
  ],
  ['full and used', onVolume({ room: room(0) }), 'space', '0 B of 1 GiB free', 'nix-collect-garbage'],
  [
    'new, without inodes',
    onVolume({ seeded: false, room: room(2 ** 30, 99) }),
    'inodes',
    '99 of 1000 free',
    newVolume,
    fullSeed,
  ],
  [
    'used, without inodes',
    onVolume({ room: room(2 ** 30, 99) }),
    'inodes',
    '99 of 1000 free',
    'nix-collect-garbage',
  ],
  [
    'damaged',
    onVolume({ manifest: error('it is damaged') }),
    'manifest',
    'it is damaged',
    'rm it',
    [78, 'EINVAL'],
  ],
  [
    'held',
    [lockCheck(held, config)],
    'lock',
    'held by c0ffee123456 (PID 1)',
    'docker stop c0ffee123456',
    [75, 'EWOULDBLOCK'],
  ],
  [
    'held under a name that is no container',
    [lockCheck({ ...held, by: { name: 'buildhost (PID 1)', host: 'buildhost' } }, config)],
    'lock',
    'held by buildhost (PID 1)',
    'docker run -e NIX_CACHE_INIT_ON_LOCKED=wait',
    [75, 'EWOULDBLOCK'],
  ],
  [
    'held by nobody knows whom',
    [lockCheck({ ...held, by: { name: 'me' } }, config)],
    'lock',
    'held by me',
    'docker run -e NIX_CACHE_INIT_ON_LOCKED=wait',
    [75, 'EWOULDBLOCK'],
  ],
  [
    'no store',
    nixChecks(makeFacts({ storeDir: false }), config, makeNix(), undefined),
    'store',
    '/nix/store does not exist',
    'mkdir -p /nix/store',
  ],
  [
    'no Nix',
    nixChecks(
      makeFacts({ daemon: { path: undefined, socket: '/s' } }),
      config,
      makeNix({ command: undefined, settings: undefined }),
      undefined,
    ),
    'nix',
    'not found',
    'docker build --build-arg BASE=nixos/nix .',
  ],
  [
    'a newer schema',
    nixChecks(
      facts,
      config,
      makeNix({ schemas: { image: 10, volume: 11 }, newer: error('newer') }),
      undefined,
    ),
    'schema',
    'image 10, volume 11',
    newVolume,
    [78, 'EINVAL'],
  ],
  [
    'no group',
    nixChecks(facts, config, makeNix({ buildUsers: undefined }), undefined),
    'build users',
    'there is no group nixbld',
    "docker run -e NIX_CONFIG='build-users-group ='",
  ],
  [
    'an empty group',
    nixChecks(facts, config, makeNix({ buildUsers: 0 }), undefined),
    'build users',
    'nixbld: 0',
    "docker run -e NIX_CONFIG='build-users-group ='",
  ],
  [
    'a Nix that fails',
    nixChecks(facts, config, makeNix({ settings: null }), undefined),
    'nix settings',
    '/bin/nix does not say',
    'nix --extra-experimental-features nix-command config show',
  ],
  [
    'a sandbox that cannot be',
    nixChecks(makeFacts({ sysAdmin: false }), config, makeNix({ settings: sandboxed }), undefined),
    'sandbox',
    'true',
    "docker run -e NIX_CONFIG='sandbox = false'",
  ],
  [
    'a daemon that does not answer',
    nixChecks(facts, config, makeNix({ socket: 'ECONNREFUSED' }), 'c0ffee123456'),
    'daemon socket',
    '/nix/var/nix/daemon-socket/socket: ECONNREFUSED',
    'docker restart c0ffee123456',
  ],
  [
    'a daemon that does not answer, where the host has a name of its own',
    nixChecks(facts, config, makeNix({ socket: 'ECONNREFUSED' }), 'web-0'),
    'daemon socket',
    '/nix/var/nix/daemon-socket/socket: ECONNREFUSED',
    'nix-cache-init stop',
  ],
];

for (const [name, findings, check, found, remedy, blocks] of faults) {
  test(`${name}: ${check} fails, and says what to type`, () => {
    const failed = findings.filter(({ ok }) => !ok);
    const own = failed.find((finding) => finding.check === check);
    assert.deepEqual([own?.found, own?.remedy], [found, remedy]);
    const failure = own?.blocks?.failure;
    assert.deepEqual(failure && [failure.exitCode, failure.errno], blocks);
    // Who is not root lacks the capability, too; everything else fails alone.
    assert.deepEqual(
      failed.filter((finding) => finding.check !== check).map((finding) => finding.check),
      name === 'not root' ? ['capability'] : [],
    );
  });
}

const noFaults: [string, Finding[]][] = [
  ['overlayfs as a module', kernelChecks({ release: '6.1', overlay: false }, mounted)],
  ['either namespace', [namespaceCheck(facts), namespaceCheck(makeFacts({ userNamespace: true }))]],
  ['a read-only root', placeChecks(makeFacts({ runReadOnly: true }), { ...places, rootReadOnly: true })],
  [
    'a reader of a volume that is read-only and full',
    onVolume({ tried: undefined, room: room(0, 0) }, makeConfig({ access: 'read-only' }), mounted, readOnly),
  ],
  ['a file system without limits', onVolume({ room: { bytes: undefined, inodes: undefined } })],
  [
    'what an upper layer can do without',
    onVolume({
      tried: makeFeatures({
        'user xattrs': 'ENOTSUP',
        RENAME_WHITEOUT: 'EINVAL',
        O_TMPFILE: 'ENOTSUP',
        'hard links': 'EPERM',
      }),
    }),
  ],
  ['its own lock', [lockCheck({ ...held, here: true }, config)]],
  ['a lock that cannot be told', [lockCheck({ state: 'unknown', errno: 'EACCES' }, config)]],
  ...(['wait', 'read-only'] as const).map((onLocked): [string, Finding[]] => [
    `a held lock with onLocked=${onLocked}`,
    [lockCheck(held, makeConfig({ onLocked }))],
  ]),
  ['a held lock to a reader', [lockCheck(held, makeConfig({ access: 'read-only' }))]],
  [
    'no build users for who is not root',
    nixChecks(user, config, makeNix({ buildUsers: undefined }), undefined),
  ],
  [
    'a socket that an earlier boot left',
    nixChecks(facts, config, makeNix({ socket: 'ECONNREFUSED' }), undefined),
  ],
  ['a socket that answers', nixChecks(facts, config, makeNix({ socket: null }), 'c0ffee')],
];

for (const [name, findings] of noFaults) {
  test(`no fault: ${name}`, () =>
    assert.deepEqual(
      findings.filter(({ ok }) => !ok),
      [],
    ));
}

test('a full disk does not count as a file system that cannot do a thing', () => {
  const tried = makeFeatures({ 'trusted xattrs': 'ENOSPC', flock: 'EDQUOT' });
  const names = onVolume({ tried }, config, { mounting: null, overlay: 'ENOSPC' }).map(({ check }) => check);
  for (const name of ['trusted xattrs', 'flock', 'upper layer']) assert.ok(!names.includes(name), name);
  assert.ok(names.includes('d_type'));
});

test('nor do attributes that only a capability allows, without it', () => {
  const tried = makeFeatures({ 'trusted xattrs': 'EPERM' });
  const without = onVolume({ tried }, config, notTried, makeFacts({ sysAdmin: false }));
  assert.ok(!without.some(({ check }) => check === 'trusted xattrs'));
  const withIt = onVolume({ tried });
  assert.equal(withIt.find(({ check }) => check === 'trusted xattrs')?.ok, false);
});

const denials: [Parameters<typeof remedyFor>[0], string][] = [
  [{ seccomp: 'filter', label: 'docker-default' }, 'apparmor=unconfined'],
  [{ seccomp: 'filter', label: 'system_u:system_r:container_t:s0:c1,c2' }, 'label=disable'],
  [{ seccomp: 'filter', label: 'unconfined' }, 'seccomp=unconfined'],
  [{ seccomp: 'filter', label: undefined }, 'seccomp=unconfined'],
  [{ seccomp: 'off', label: undefined }, '--privileged'],
];

for (const [confinement, flag] of denials) {
  test(`denied under ${confinement.label} with seccomp ${confinement.seccomp}: ${flag}`, () =>
    assert.ok(remedyFor(confinement).endsWith(flag)));
}

const sizes: [number, string][] = [
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [2 ** 40 * 5000, '5000 TiB'],
];

for (const [bytes, text] of sizes)
  test(`${bytes} bytes: ${text}`, () => assert.equal(formatSize(bytes), text));

test('what a store without mounts cannot do is said to who asks for one, and is no fault', () => {
  const limits = limitChecks(makeConfig({ strategy: 'prefix' }));
  assert.ok(limits.some(({ found }) => found.startsWith('not nix develop: ')));
  assert.ok(limits.every(({ ok }) => ok));
  assert.deepEqual(limitChecks(makeConfig()), []);
});
