import { existsSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { PathKeeper } from '../binary-cache/keeper.ts';
import { hasErrno } from '../errors.ts';
import { uptime } from '../linux/clock.ts';
import type { ExitOf } from '../linux/helper.ts';
import { bindMount, makePrivate, makeReadOnly, mount } from '../linux/mount.ts';
import { removeTree } from '../linux/remove.ts';
import type { Log } from '../log.ts';
import type { Pusher } from '../push/pusher.ts';
import { takeLinesOut } from '../state/nix-conf-lines.ts';
import { isInStep } from '../state/reconcile/in-step.ts';
import { isSeeded } from '../state/seeded.ts';
import { removeIdle } from '../volume/idle.ts';
import { assertFree, takeLock } from '../volume/lock.ts';
import { claimState } from '../volume/prefix-state.ts';
import { deleteTree } from '../volume/trash.ts';
import type { Plan, Step } from './plan.ts';
import { announceVariables, setVariables } from './steps/environment.ts';
import { listen } from './steps/listen.ts';
import { makeDirectory } from './steps/make-directory.ts';
import { claimVolume } from './steps/manifest.ts';
import { mask } from './steps/mask.ts';
import { putNixConf } from './steps/nix-conf.ts';
import { mountOverlay } from './steps/overlay.ts';
import type { Reconciliation } from './steps/reconcile.ts';
import { keepRoots } from './steps/roots.ts';
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

/** How long a signal may wait between two steps: a turn for each of them is a tenth of what they take. */
const UNNOTICED_MS = 10;

/**
 * Executes a plan, the only place where a boot changes anything. After a step that took its time, and at the end, the event
 * loop turns once, so that a signal is noticed. On failure or abort everything done so far is undone, newest first.
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
  let turned = uptime();
  try {
    for (const step of plan.steps) {
      if (uptime() - turned > UNNOTICED_MS) {
        await turn();
        turned = uptime();
      }
      context.signal.throwIfAborted();
      const start = uptime();
      applied.starts.push(start);
      await execute(step, { ...context, applied });
      applied.timings.push(uptime() - start);
    }
    await turn();
    context.signal.throwIfAborted();
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
    const { explain } = await import('./steps/explain.ts');
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
    case 'seed': {
      if (isSeeded(step)) break;
      // Here and below: most boots do without.
      const { seed } = await import('./steps/seed.ts');
      await seed(step, log, signal);
      break;
    }
    case 'reconcile':
      if (!isInStep(step)) {
        const { reconcileImage } = await import('./steps/reconcile.ts');
        applied.reconciled = await reconcileImage(step, log, signal);
      }
      if (existsSync(step.files.superseded))
        applied.whenRunning.push(() => void deleteTree(step.files.superseded, log));
      break;
    case 'snapshot': {
      const { snapshot } = await import('./steps/snapshot.ts');
      await snapshot(step, log, signal);
      break;
    }
    case 'mask':
      mask(step);
      break;
    case 'overlay':
      mountOverlay(step);
      undo.unmounting(step.target);
      break;
    case 'bind-each': {
      const { bindEach } = await import('./steps/snapshot.ts');
      bindEach(step, undo);
      break;
    }
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
