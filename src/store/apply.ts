import { existsSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { PathKeeper } from '../binary-cache/keeper.ts';
import { hasErrno } from '../errors.ts';
import type { ExitOf } from '../linux/helper.ts';
import { bindMount, makePrivate, makeReadOnly, mount } from '../linux/mount.ts';
import { removeTree } from '../linux/remove.ts';
import type { Log } from '../log.ts';
import type { Pusher } from '../push/pusher.ts';
import { takeLinesOut } from '../state/nix-conf-lines.ts';
import { removeIdle } from '../volume/idle.ts';
import { assertFree, takeLock } from '../volume/lock.ts';
import { claimState } from '../volume/prefix-state.ts';
import { deleteTree } from '../volume/trash.ts';
import type { Plan, Step } from './plan.ts';
import { announceVariables, setVariables } from './steps/environment.ts';
import { explain } from './steps/explain.ts';
import { listen } from './steps/listen.ts';
import { makeDirectory } from './steps/make-directory.ts';
import { claimVolume } from './steps/manifest.ts';
import { mask } from './steps/mask.ts';
import { putNixConf } from './steps/nix-conf.ts';
import { mountOverlay } from './steps/overlay.ts';
import { type Reconciliation, reconcileImage } from './steps/reconcile.ts';
import { keepRoots } from './steps/roots.ts';
import { seed } from './steps/seed.ts';
import { bindEach, snapshot } from './steps/snapshot.ts';
import { tryXattrs } from './steps/try-xattrs.ts';
import { verifyManifest } from './steps/verify.ts';
import type { DaemonStart } from './strategy.ts';
import { Undo, unmountOrDetach } from './undo.ts';

export type ApplyContext = {
  log: Log;
  /** Aborted by a signal that ends the boot; `reason` says which. */
  signal: AbortSignal;
  exitOf: ExitOf;
};

/** What a service with a socket of ours runs and how, and the socket's descriptor. */
export type Listening = { command: string; socket: number } & DaemonStart;

/** What a plan left behind that the supervisor needs. */
export type Applied = {
  undo: Undo;
  /** The services that have a listening socket, and that. */
  listening: Map<string, Listening>;
  /** What can wait until the command runs. */
  whenRunning: (() => void)[];
  /** What goes on beside the command. */
  companions: (PathKeeper | Pusher)[];
  /** What was done about an image that had changed. */
  reconciled: Reconciliation | undefined;
  /** When each step began and how many milliseconds it took, for boot.json. */
  starts: number[];
  timings: number[];
};

type Running = ApplyContext & { applied: Applied };

/**
 * Executes a plan, the only place where a boot changes anything. Between steps the event loop turns once, so that a
 * signal is noticed. On failure or abort everything done so far is undone, newest first.
 * @throws {InitError} naming the step; `signal.reason` when aborted.
 */
export async function apply(plan: Plan, context: ApplyContext): Promise<Applied> {
  const applied: Applied = {
    undo: new Undo(context.log),
    listening: new Map(),
    whenRunning: [],
    companions: [],
    reconciled: undefined,
    starts: [],
    timings: [],
  };
  try {
    for (const step of plan.steps) {
      await turn();
      context.signal.throwIfAborted();
      const start = performance.now();
      applied.starts.push(start);
      await execute(step, { ...context, applied });
      applied.timings.push(performance.now() - start);
    }
    return applied;
  } catch (error) {
    applied.undo.run();
    throw error;
  }
}

async function execute(step: Step, running: Running): Promise<void> {
  try {
    await perform(step, running);
  } catch (error) {
    running.signal.throwIfAborted();
    throw explain(error, step);
  }
}

async function perform(step: Step, { log, signal, exitOf, applied }: Running): Promise<void> {
  const { undo } = applied;
  switch (step.do) {
    case 'mkdir':
      makeDirectory(step);
      break;
    case 'lock':
      undo.closing(await takeLock({ ...step, signal }));
      break;
    case 'unmount':
      assertFree('mounts', step.claim);
      for (const target of step.targets) unmountOrDetach(target, log);
      break;
    case 'tmpfs':
      mount('tmpfs', step.target, 'tmpfs', 0n, step.options);
      undo.unmounting(step.target);
      break;
    case 'bind':
      bindMount(step.source, step.target);
      undo.unmounting(step.target);
      if (step.apart === true) makePrivate(step.target);
      if (step.readOnly) makeReadOnly(step.target);
      break;
    case 'verify':
      verifyManifest(step);
      break;
    case 'try-xattrs':
      tryXattrs(step);
      break;
    case 'seed':
      await seed(step, log, signal);
      break;
    case 'reconcile':
      applied.reconciled = await reconcileImage(step, log, signal);
      if (existsSync(step.files.superseded))
        applied.whenRunning.push(() => void deleteTree(step.files.superseded, log));
      break;
    case 'snapshot':
      await snapshot(step, log, signal);
      break;
    case 'mask':
      mask(step);
      break;
    case 'overlay':
      mountOverlay(step);
      undo.unmounting(step.target);
      break;
    case 'bind-each':
      bindEach(step, undo);
      break;
    case 'clear':
      for (const path of step.paths) removeTree(path);
      for (const path of step.idle ?? []) removeIdle(path);
      break;
    case 'roots': {
      const roots = keepRoots(step, log);
      applied.whenRunning.push(roots.watch);
      undo.ending(roots.end);
      break;
    }
    case 'nix-conf':
      try {
        putNixConf(step, undo);
      } catch (error) {
        if (step.over === 'in place' || step.orWarn === undefined || !hasErrno(error, 'EPERM', 'EACCES'))
          throw error;
        log.warn(step.orWarn);
      }
      break;
    case 'unmark':
      for (const file of step.files) takeLinesOut(file);
      break;
    case 'warn':
      log.warn(step.text);
      break;
    case 'environment':
      undo.ending(setVariables(step));
      if (step.announce) announceVariables(step, log);
      break;
    case 'manifest':
      claimVolume(step);
      break;
    case 'claim-state':
      claimState(step);
      break;
    case 'binary-cache': {
      // Here and below: no other strategy is to pay for it.
      const { prepareCache } = await import('../binary-cache/prepare.ts');
      await prepareCache(step, { log, signal, exitOf });
      break;
    }
    case 'substituter': {
      const { writeSettings } = await import('../binary-cache/settings.ts');
      writeSettings(step, log, (action) => undo.ending(action));
      break;
    }
    case 'keep-paths': {
      const { keepPaths } = await import('../binary-cache/keep.ts');
      const keeper = await keepPaths(step, { log, signal, exitOf });
      if (keeper === undefined) break;
      applied.companions.push(keeper);
      break;
    }
    case 'push': {
      const { Pusher } = await import('../push/pusher.ts');
      const pusher = new Pusher(step, { log, exitOf });
      applied.companions.push(pusher);
      break;
    }
    case 'listen': {
      const socket = listen(step);
      const { do: _, service, socket: __, ...start } = step;
      applied.listening.set(service, { ...start, socket });
      undo.closing(socket);
      undo.removing(step.socket);
      break;
    }
  }
}
