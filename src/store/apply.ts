import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Exit, errnoOf, InitError, type Stage, toInitError } from '../errors.ts';
import { bindMount, makeReadOnly, mount } from '../linux/mount.ts';
import { listenUnix } from '../linux/socket.ts';
import type { Log } from '../log.ts';
import { databaseIdentity } from '../state/identity.ts';
import { generateNixConf } from '../state/nix-conf.ts';
import { seedState } from '../state/seed.ts';
import { takeLock } from '../volume/lock.ts';
import { readManifest, writeManifest } from '../volume/manifest.ts';
import type { Plan, Step } from './plan.ts';
import { showProgress } from './progress.ts';
import { Undo } from './undo.ts';

export type ApplyContext = {
  log: Log;
  /** Aborted by a signal that ends the boot; `reason` says which. */
  signal: AbortSignal;
};

/** What a plan left behind that the supervisor needs. */
export type Applied = {
  undo: Undo;
  /** The daemon's listening socket. */
  daemonSocket: number | undefined;
  /** Milliseconds each step took, for boot.json. */
  timings: number[];
};

type Running = ApplyContext & { applied: Applied };

/**
 * Executes a plan, the only place where a boot changes anything. Between steps the event loop turns once, so that a
 * signal is noticed. On failure or abort everything done so far is undone, newest first.
 * @throws {InitError} naming the step; `signal.reason` when aborted.
 */
export async function apply(plan: Plan, context: ApplyContext): Promise<Applied> {
  const applied: Applied = { undo: new Undo(context.log), daemonSocket: undefined, timings: [] };
  try {
    for (const step of plan.steps) {
      await turn();
      context.signal.throwIfAborted();
      const start = performance.now();
      await execute(step, { ...context, applied });
      applied.timings.push(performance.now() - start);
    }
    return applied;
  } catch (error) {
    applied.undo.run();
    throw error;
  }
}

const stages: Readonly<Record<Step['do'], Stage>> = {
  mkdir: 'mount',
  lock: 'lock',
  tmpfs: 'mount',
  bind: 'mount',
  verify: 'facts',
  seed: 'seed',
  overlay: 'mount',
  clear: 'seed',
  'nix-conf': 'mount',
  listen: 'daemon',
};

async function execute(step: Step, running: Running): Promise<void> {
  try {
    await perform(step, running);
  } catch (error) {
    running.signal.throwIfAborted();
    throw explain(error, step);
  }
}

async function perform(step: Step, { log, signal, applied }: Running): Promise<void> {
  const { undo } = applied;
  switch (step.do) {
    case 'mkdir':
      return makeDirectory(step);
    case 'lock':
      return undo.closing(await takeLock({ path: step.path, waitMs: step.waitMs, signal }));
    case 'tmpfs':
      mount('tmpfs', step.target, 'tmpfs', 0n, step.options);
      return undo.unmounting(step.target);
    case 'bind':
      bindMount(step.source, step.target);
      undo.unmounting(step.target);
      if (step.readOnly) makeReadOnly(step.target);
      return;
    case 'verify':
      return verify(step);
    case 'seed':
      return seed(step, log, signal);
    case 'overlay': {
      const layers = [
        `lowerdir=${step.lower.map((path) => escapeOption(path)).join(':')}`,
        `upperdir=${escapeOption(step.upper)}`,
        `workdir=${escapeOption(step.work)}`,
      ];
      mount('overlay', step.target, 'overlay', 0n, [...layers, ...step.options].join(','));
      return undo.unmounting(step.target);
    }
    case 'clear':
      for (const path of step.paths) rmSync(path, { recursive: true, force: true });
      return;
    case 'nix-conf':
      return mountNixConf(step, undo);
    case 'listen':
      mkdirSync(dirname(step.socket), { recursive: true, mode: 0o755 });
      rmSync(step.socket, { force: true });
      applied.daemonSocket = listenUnix(step.socket, 0o666);
      undo.closing(applied.daemonSocket);
      return undo.removing(step.socket);
  }
}

/** In overlayfs options a comma, a colon and a backslash stand for themselves only after a backslash. */
const escapeOption = (path: string): string => path.replace(/[\\,:]/g, '\\$&');

function makeDirectory({ path, mode, like }: Step & { do: 'mkdir' }): void {
  if (mkdirSync(path, { recursive: true, mode }) === undefined || like === undefined) return;
  const { uid, gid, mode: model } = statSync(like);
  chownSync(path, uid, gid);
  chmodSync(path, model & 0o7777);
}

function verify({ manifest, xattrs }: Step & { do: 'verify' }): void {
  const known = readManifest(manifest);
  if (known === undefined || known.xattrs === xattrs) return;
  throw new InitError({
    stage: 'facts',
    what: `the volume was made with ${known.xattrs}.overlay attributes, this container would use ${xattrs}.overlay`,
    errno: 'EINVAL',
    remedy: 'use it as before (with or without a user namespace), or use another volume',
    exitCode: Exit.config,
  });
}

/** How long the seeding may keep the event loop from turning, in milliseconds. */
const BREATH_MS = 10;

async function seed(step: Step & { do: 'seed' }, log: Log, signal: AbortSignal): Promise<void> {
  const { path, strategy, xattrs } = step.manifest;
  const progress = showProgress('copying the Nix database to the volume', log);
  const imageIdentity = databaseIdentity(step.from);
  let breath = performance.now();
  const outcome = await seedState({
    ...step,
    onProgress: async (done, total) => {
      if (performance.now() - breath < BREATH_MS) return;
      await turn();
      signal.throwIfAborted();
      progress.update(done, total);
      breath = performance.now();
    },
    // Before the state gets its name: a kill in between must not leave a state whose image nobody knows.
    onReady: () => writeManifest(path, { format: 1, strategy, xattrs, imageIdentity }),
  }).finally(() => progress.end());
  if (outcome === 'seeded') return;
  const known = readManifest(path);
  if (known === undefined) {
    log.info('adopting the volume as it is: it has a state directory and no manifest');
    writeManifest(path, { format: 1, strategy, xattrs, imageIdentity: null });
  } else if (known.imageIdentity !== null && known.imageIdentity !== imageIdentity) {
    log.warn(
      'the image is not the one this volume was made with; paths that only the new image has are unknown to Nix',
    );
  }
}

function mountNixConf({ dir, over, create, generated }: Step & { do: 'nix-conf' }, undo: Undo): void {
  const path = `${dir}/nix.conf`;
  if (over === 'directory') {
    const copy = `${generated}.d`;
    rmSync(copy, { recursive: true, force: true });
    cpSync(dir, copy, { recursive: true, verbatimSymlinks: true });
    rmSync(`${copy}/nix.conf`, { force: true });
    writeFileSync(`${copy}/nix.conf`, generateNixConf(create ? '' : readFileSync(path, 'utf8')));
    bindMount(copy, dir);
    undo.unmounting(dir);
    return;
  }
  if (create) {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
    writeFileSync(path, '', { mode: 0o644 });
  }
  writeFileSync(generated, generateNixConf(readFileSync(path, 'utf8')), { mode: 0o644 });
  bindMount(generated, path);
  undo.unmounting(path);
}

/** What failed, and what to do about it where the general remedy would mislead. */
function explain(error: unknown, step: Step): InitError {
  const errno = errnoOf(error);
  const mounting =
    step.do === 'bind' || step.do === 'overlay' || step.do === 'tmpfs' || step.do === 'nix-conf';
  if (mounting && (errno === 'EACCES' || errno === 'EPERM')) {
    return new InitError({
      stage: 'mount',
      what: `mounting was denied although CAP_SYS_ADMIN is held (AppArmor's default profile does this): ${subject(step)}`,
      errno,
      remedy: 'docker run --security-opt apparmor=unconfined',
      exitCode: Exit.privilege,
      cause: error,
    });
  }
  if (step.do === 'overlay' && errno === 'EINVAL') {
    return new InitError({
      stage: 'mount',
      what: `overlayfs refuses ${step.upper} as an upper layer`,
      errno,
      remedy: "use a volume on ext4, xfs or btrfs; 'dmesg' on the host says why",
      exitCode: Exit.io,
      cause: error,
    });
  }
  return toInitError(error, stages[step.do], subject(step));
}

const subject = (step: Step): string => {
  switch (step.do) {
    case 'mkdir':
    case 'lock':
      return step.path;
    case 'seed':
      return step.to;
    case 'verify':
      return step.manifest;
    case 'clear':
      return step.paths.join(' ');
    case 'nix-conf':
      return step.dir;
    case 'listen':
      return step.socket;
    default:
      return step.target;
  }
};
