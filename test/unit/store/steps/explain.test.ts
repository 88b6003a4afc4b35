import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitCode } from '../../../../src/errors.ts';
import { Exit, InitError } from '../../../../src/errors.ts';
import type { Step } from '../../../../src/store/plan.ts';
import { runLayout } from '../../../../src/store/run-layout.ts';
import { explain } from '../../../../src/store/steps/explain.ts';
import { isInitError } from '../../fixtures.ts';

const failed = (code: string): Error => Object.assign(new Error('failed'), { code });

const places = {
  cache: '/v/binary-cache',
  key: '/v/key',
  open: '/v/open',
  record: '/v/links.json',
  storeDir: '/t',
  stateDir: '/s',
  own: '/s/nix-cache-init',
  nix: '/bin/nix',
  nixStore: '/bin/nix-store',
} as const;
const manifest = { path: '/v/m', strategy: 'overlay', xattrs: 'trusted' } as const;
const steps = {
  mkdir: { do: 'mkdir', path: '/nix-cache/upper', mode: 0o755 },
  lock: { do: 'lock', of: 'volume', path: '/v/lock', waitMs: 0, orRead: false },
  unmount: { do: 'unmount', targets: ['/nix/store', '/run/x'], claim: '/run/x/lock' },
  tmpfs: { do: 'tmpfs', target: '/run/x', options: '' },
  bind: { do: 'bind', source: '/a', target: '/b', readOnly: true },
  verify: { do: 'verify', manifest: '/v/m', xattrs: 'trusted' },
  seed: { do: 'seed', from: '/a', to: '/v/var/nix', staging: '/v/s', trash: '/v/t', manifest },
  overlay: {
    do: 'overlay',
    target: '/nix/store',
    lower: ['/l'],
    upper: '/v/upper',
    work: '/v/work',
    options: [],
  },
  mask: { do: 'mask', of: '/l', below: ['/m'], target: '/run/x/mask' },
  reconcile: {
    do: 'reconcile',
    image: { storeDir: '/l/store', stateDir: '/l/state' },
    storeDir: '/nix/store',
    nixStateDir: '/nix/var/nix',
    stateDir: '/v/nix',
    upper: '/v/upper',
    files: {
      manifest: '/v/m',
      remembered: '/v/r',
      swept: '/v/s',
      imageCopy: '/v/i',
      superseded: '/v/t',
      imageLinks: '/v/l',
    },
    strategy: 'overlay',
    xattrs: 'trusted',
    nix: undefined,
  },
  snapshot: {
    do: 'snapshot',
    from: '/v/var/nix',
    to: '/run/x/state',
    upper: '/v/upper',
    image: { storeDir: '/l/store', stateDir: '/l/state' },
    xattrs: 'trusted',
    storeDir: '/nix/store',
    nixStateDir: '/nix/var/nix',
    files: { manifest: '/v/m', remembered: '/v/r', imageLinks: '/v/l' },
    scratch: '/run/x/s',
    mask: '/run/x/mask',
    standIns: '/run/x/upper',
  },
  'bind-each': { do: 'bind-each', names: '/run/x/upper', source: '/v/upper', target: '/nix/store' },
  clear: { do: 'clear', paths: ['/v/a', '/v/b'] },
  roots: { do: 'roots', state: '/v/var/nix', stateDir: '/s', storeDir: '/t', record: '/v/roots.json' },
  'nix-conf': { do: 'nix-conf', dir: '/etc/nix', over: 'file', create: false, generated: '/g', settings: {} },
  manifest: { do: 'manifest', path: '/v/m', strategy: 'prefix' },
  'claim-state': { do: 'claim-state', record: '/v/s', storeDir: '/s', stateDir: '/v/st', cacheDir: '/v' },
  'try-xattrs': { do: 'try-xattrs', path: '/v/w', xattrs: 'trusted', manifest: '/v/m' },
  unmark: { do: 'unmark', files: ['/etc/nix/nix.conf'] },
  warn: { do: 'warn', text: 'mind this' },
  environment: { do: 'environment', variables: { NIX_REMOTE: 'daemon' } },
  'binary-cache': { do: 'binary-cache', ...places, readOnly: false },
  substituter: { do: 'substituter', ...places, readOnly: false, confDir: '/c', userConfDir: undefined },
  'keep-paths': { do: 'keep-paths', ...places, readOnly: false },
  push: {
    do: 'push',
    source: { kind: 'cache', names: '/v/c' },
    nix: '/bin/nix',
    from: 'file:///v/c',
    records: '/v/pushed',
    to: [],
  },
  listen: { do: 'listen', socket: '/d/socket', service: 'd', command: '/bin/d' },
} as const satisfies Record<Step['do'], Step | object>;

type Case = [keyof typeof steps, string, ExitCode, string, RegExp, RegExp];

const denied = /denied although CAP_SYS_ADMIN is held .*AppArmor/;
const apparmor = /--security-opt apparmor=unconfined$/;

const cases: Case[] = [
  ['bind', 'EACCES', 77, 'mount', denied, apparmor],
  ['bind', 'EPERM', 77, 'mount', denied, apparmor],
  ['overlay', 'EACCES', 77, 'mount', denied, apparmor],
  ['overlay', 'EPERM', 77, 'mount', denied, apparmor],
  ['tmpfs', 'EACCES', 77, 'mount', denied, apparmor],
  ['nix-conf', 'EACCES', 77, 'mount', denied, apparmor],
  [
    'overlay',
    'EINVAL',
    74,
    'mount',
    /^overlayfs refuses \/v\/upper as an upper layer$/,
    /ext4, xfs or btrfs/,
  ],
  ['overlay', 'ENODEV', 77, 'mount', /^the kernel has no overlayfs$/, /^modprobe overlay on the host$/],
  // A file system that the kernel lacks is another matter where it is not overlayfs.
  ['tmpfs', 'ENODEV', 74, 'mount', /^\/run\/x$/, /report/],
  ['overlay', 'ENOSPC', 74, 'mount', /^\/nix\/store$/, /free space/],
  ['bind', 'EINVAL', 74, 'mount', /^\/b$/, /report/],
  ['reconcile', 'ENOSPC', 74, 'reconcile', /^\/v\/nix$/, /free space/],
  ['snapshot', 'ENOSPC', 74, 'seed', /^\/run\/x\/state$/, /room.*memory/],
  ['snapshot', 'EIO', 74, 'seed', /^\/run\/x\/state$/, /disk/],
  ['bind-each', 'EACCES', 77, 'mount', denied, apparmor],
  ['try-xattrs', 'ENOTSUP', 74, 'mount', /\/v\/w has no trusted xattrs/, /ext4/],
  ['try-xattrs', 'EROFS', 74, 'mount', /^\/v\/w$/, /read-write/],
  ['mkdir', 'EROFS', 74, 'mount', /^\/nix-cache\/upper$/, /read-write/],
  ['mkdir', 'EPERM', 77, 'mount', /^\/nix-cache\/upper$/, /root/],
  ['unmount', 'EINVAL', 74, 'mount', /^\/nix\/store \/run\/x$/, /report/],
  ['lock', 'EIO', 74, 'lock', /^\/v\/lock$/, /disk/],
  ['verify', 'EIO', 74, 'facts', /^\/v\/m$/, /disk/],
  ['seed', 'ENOSPC', 74, 'seed', /^\/v\/var\/nix$/, /free space or inodes/],
  ['seed', 'EDQUOT', 74, 'seed', /^\/v\/var\/nix$/, /quota/],
  ['roots', 'EIO', 74, 'seed', /^\/v\/roots.json$/, /disk/],
  ['clear', 'EROFS', 74, 'seed', /^\/v\/a \/v\/b$/, /read-write/],
  ['nix-conf', 'EROFS', 74, 'mount', /^\/etc\/nix$/, /read-write/],
  ['manifest', 'ENOSPC', 74, 'facts', /^\/v\/m$/, /free space/],
  ['listen', 'EROFS', 74, 'service', /^\/d\/socket$/, /read-write/],
  ['listen', 'ENAMETOOLONG', 74, 'service', /^\/d\/socket$/, /./],
];

for (const [kind, errno, exitCode, stage, what, remedy] of cases) {
  test(`${errno} at ${kind} is ${exitCode}`, () => {
    const cause = failed(errno);
    const error = explain(cause, structuredClone<unknown>(steps[kind]) as Step);
    isInitError({ exitCode, stage, errno, what, remedy })(error);
    assert.equal(error.cause, cause);
  });
}

test("a reader's upper layer is not the one that is refused", () => {
  const reading = { ...steps.overlay, lower: ['/l', '/mask', '/v/upper'], upper: runLayout.upper };
  const error = explain(failed('EINVAL'), structuredClone<unknown>(reading) as Step);
  isInitError({
    exitCode: 74,
    stage: 'mount',
    what: 'overlayfs refuses /v/upper as a lower layer',
    remedy: /dmesg/,
  })(error);
});

test('writing nix.conf in place is no mount that was denied', () => {
  const step: Step = { do: 'nix-conf', dir: '/etc/nix', over: 'in place', settings: {} };
  isInitError({ exitCode: 77, stage: 'mount', errno: 'EACCES', what: '/etc/nix' })(
    explain(failed('EACCES'), step),
  );
});

test('with further lowers, it is the volume that is refused still', () => {
  const writing = { ...steps.overlay, lower: ['/l', '/m/1', '/l/1'] };
  const error = explain(failed('EINVAL'), structuredClone<unknown>(writing) as Step);
  isInitError({ exitCode: 74, what: 'overlayfs refuses /v/upper as an upper layer' })(error);
});

test('a step that knows why it failed is not talked over', () => {
  const own = new InitError({
    stage: 'lock',
    what: 'in use',
    errno: 'EWOULDBLOCK',
    remedy: 'wait',
    exitCode: Exit.locked,
  });
  assert.equal(explain(own, steps.lock), own);
});

test('a mistake of ours is called one, also where it happens in a mount', () => {
  const error = explain(new TypeError('x is undefined'), steps.bind);
  isInitError({
    exitCode: 70,
    stage: 'internal',
    what: /^\/b: TypeError: x is undefined\n +at .*explain\.test\.ts/,
  })(error);
});

test('only what another strategy can do without sends a boot on to it', () => {
  const unfit = (kind: keyof typeof steps, errno: string): boolean =>
    explain(failed(errno), structuredClone<unknown>(steps[kind]) as Step).unfit;
  assert.equal(unfit('try-xattrs', 'ENOTSUP'), true);
  assert.equal(unfit('overlay', 'EINVAL'), true);
  assert.equal(unfit('bind', 'EPERM'), true);
  assert.equal(unfit('try-xattrs', 'ENOSPC'), false);
  assert.equal(unfit('overlay', 'EIO'), false);
  assert.equal(unfit('seed', 'ENOSPC'), false);
});
