import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { baseTarball, systemdTarball } from './base.ts';
import { distFingerprint, ensureDist } from './dist.ts';
import { guestKernel } from './guestKernel.ts';
import { fingerprintOf } from './images.ts';
import { alone } from './lock.ts';
import { installCommands } from './packages.ts';
import { cacheDirectory, fixtures, rootfs } from './paths.ts';
import { runOk } from './run.ts';
import { openScript, quote, type Script } from './script.ts';
import { makeWorkspace } from './workspace.ts';

/** A disk for a guest, gone at the end of the block. */
export interface Disk extends AsyncDisposable {
  path: string;
}

/** An empty ext4 of its own, for the volume. */
export async function makeDisk(): Promise<Disk> {
  await installCommands({ 'mkfs.ext4': 'e2fsprogs' });
  const workspace = await makeWorkspace();
  const path = join(workspace.path, 'disk');
  await runOk('truncate', ['--size', '256M', path]);
  await runOk('mkfs.ext4', ['-q', path]);
  return { path, [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose]() };
}

/** That a disk was left as a machine should leave it: nothing to replay, nothing to repair. */
export async function assertClean({ path }: Disk): Promise<void> {
  assert.doesNotMatch(await runOk('dumpe2fs', ['-h', path]), /needs_recovery|not clean/);
  await runOk('e2fsck', ['-fn', path]);
}

export interface Guest extends AsyncDisposable, Pick<Script, 'send' | 'waitFor' | 'rest'> {
  /** Everything on the console, once it is off. */
  ended: Promise<string>;
}

export interface GuestBoot {
  disk: Disk;
  /** What follows `--` on the kernel's command line. */
  command?: string[];
  /** Words before that. */
  words?: string[];
  /** The init of it: ours, or systemd, which has our service. */
  init?: GuestInit;
}

type GuestInit = 'ours' | 'systemd';
const programs: Record<GuestInit, string> = { ours: '/init', systemd: '/sbin/init' };

/** A machine whose root is as new at each boot; its disk stays. */
export async function startGuest({
  disk,
  command = [],
  words = [],
  init = 'ours',
}: GuestBoot): Promise<Guest> {
  await alone('dist', ensureDist);
  await installCommands({ 'qemu-system-x86_64': 'qemu-system-x86', script: 'bsdutils' });
  const { kernel, initramfs } = await guestKernel();
  const root = await guestRoot(init);
  // What guards against the secrets that a processor leaks is slow, and of no use on one that is emulated.
  const own = [
    'console=ttyS0',
    'panic=-1',
    'quiet',
    'loglevel=4',
    'mitigations=off',
    `init=${programs[init]}`,
  ];
  const line = [...own, ...words, '--', ...command];
  const program = [
    ...['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max', '-m', '1024', '-no-reboot', '-nodefaults'],
    ...['-display', 'none', '-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-kernel', kernel, '-initrd', initramfs, '-append', line.join(' ')],
    ...['-drive', `file=${root},format=raw,if=virtio,snapshot=on`],
    ...['-drive', `file=${disk.path},format=raw,if=virtio`],
  ];
  // A test that is killed takes its guests along.
  const script = openScript(['exec', 'setpriv', '--pdeathsig', 'KILL', ...program].map(quote).join(' '));
  let all = '';
  script.child.stdout?.on('data', (text: string) => {
    all += text;
  });
  const ended = script.ended.then(() => all.replaceAll('\r', ''));
  return {
    ...script,
    ended,
    async [Symbol.asyncDispose]() {
      // script(1) passes the hang-up on.
      script.child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Boots and waits until it is off. */
export async function runGuest(boot: GuestBoot): Promise<string> {
  await using guest = await startGuest(boot);
  return await guest.ended;
}

/** Debian with Nix and a store, and our build: what would be a container's image. */
async function guestRoot(init: GuestInit): Promise<string> {
  const tarball = init === 'ours' ? await baseTarball('trixie') : await systemdTarball();
  const inputs = [tarball, await distFingerprint(), await fingerprintOf('nix'), await fingerprintOf('guest')];
  const version = createHash('sha256').update(inputs.join('\n')).digest('hex').slice(0, 12);
  const image = join(cacheDirectory, 'guests', `${init}-${version}.ext4`);
  await alone(`guest-${init}`, async () => {
    if (existsSync(image)) return;
    console.log('Making the root of a virtual machine (kept in .cache/ for the next time)');
    await mkdir(dirname(image), { recursive: true });
    for (const name of await readdir(dirname(image)))
      if (name.startsWith(`${init}-`)) await rm(join(dirname(image), name));
    await using workspace = await makeWorkspace();
    const root = join(workspace.path, 'root');
    await fillRoot(root, tarball);
    if (init === 'systemd') await inRoot(root, installServices);
    await runOk('truncate', ['--size', '1G', `${image}.unfinished`]);
    await runOk('mkfs.ext4', ['-q', '-d', root, `${image}.unfinished`]);
    await rename(`${image}.unfinished`, image);
  });
  return image;
}

/** As somebody would set up such a machine; one that has booted before, for what systemd does but once takes an emulated one a minute. */
const installServices = `
/opt/nix-cache-init/bin/nix-cache-init service install
cp /guest/report.service /etc/systemd/system/
touch /etc/.updated /var/.updated
`;

async function fillRoot(root: string, tarball: string): Promise<void> {
  await mkdir(root);
  await runOk('tar', ['-C', root, '-xf', tarball, '--exclude=./dev/*']);
  await cp(join(fixtures, 'nix'), join(root, 'fixtures'), { recursive: true });
  await inRoot(root, 'sh /fixtures/make-store.sh');
  await cp(rootfs, root, { recursive: true, verbatimSymlinks: true });
  await cp(join(fixtures, 'guest'), join(root, 'guest'), { recursive: true });
  await writeFile(join(root, 'etc/fstab'), '/dev/vdb /nix-cache ext4 noatime,nofail 0 0\n');
}

async function inRoot(root: string, commands: string): Promise<void> {
  const enter = 'mount -t proc proc $1/proc; mount --rbind /dev $1/dev; exec chroot $1 sh -euc "$2"';
  await runOk('env', [
    ...['-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
    ...['unshare', '--mount', '--pid', '--fork', '/bin/sh', '-euc', enter, 'sh', root, commands],
  ]);
}

export const script = (name: string): string[] => ['/bin/sh', `/guest/${basename(name)}.sh`];
