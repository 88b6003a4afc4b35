import { closeSync, ftruncateSync } from 'node:fs';
import type { Config } from '../config/keys.ts';
import { Exit, errnoOf, InitError, toInitError } from '../errors.ts';
import { unmount } from '../linux/mount.ts';
import { readMountInfo } from '../linux/mountinfo.ts';
import type { Log } from '../log.ts';
import { recordIndirectRoots } from '../state/indirect/indirect.ts';
import { findLeftovers } from '../store/leftovers.ts';
import { runLayout } from '../store/run-layout.ts';
import { takeLock } from '../volume/lock.ts';
import { alone } from './alone.ts';
import { type HookRecord, readHookRecord, removeHookRecord, writeHookRecord } from './record.ts';
import { describeUsers, type MountUser, usersOf } from './users.ts';

export type UnmountRequest = {
  config: Config;
  /** Detaches what is in use: it ends with those who use it. */
  lazy: boolean;
  log: Log;
  signal: AbortSignal;
};

/** What `unmount` did, or why not. */
export type UnmountReport = {
  /** In the order in which it went. */
  unmounted: string[];
  /** Who kept it from being unmounted. */
  users: MountUser[];
};

/** Somebody looks who has the volume's lock by taking it, for a moment. */
const LOCK_WAIT_MS = 10_000;

/**
 * Undoes what `mount` did, or what a killed one did of it. Where nothing is mounted, there is nothing to do.
 * @returns what of it is unmounted; with users, nothing is.
 * @throws {InitError} 75 when an init that runs has mounted it.
 */
export async function unmountHere(request: UnmountRequest): Promise<UnmountReport> {
  const report: UnmountReport = { unmounted: [], users: [] };
  await alone(request.signal, () => takeDown(request, report));
  return report;
}

async function takeDown(request: UnmountRequest, report: UnmountReport): Promise<void> {
  const { config, lazy, log, signal } = request;
  const record = readHookRecord();
  const targets = findLeftovers(readMountInfo(), { ...config, ...record?.hook });
  if (targets.length === 0) {
    if (record !== undefined) removeHookRecord();
    return;
  }
  const locks = await takeLocks(record, signal);
  try {
    if (!lazy) report.users = usersOf(targets);
    if (report.users.length > 0) return;
    if (record !== undefined) {
      writeHookRecord({ ...record, hook: { ...record.hook, complete: false } });
      noteRoots(record, log);
    }
    for (const target of targets) {
      take(target, lazy, report);
      report.unmounted.push(target);
    }
    removeHookRecord();
    // Of the volume it stays as it is: detached, it may still be in use, which the kernel will tell.
    ftruncateSync(locks.claim);
  } finally {
    for (const fd of Object.values(locks)) closeSync(fd);
  }
}

function take(target: string, lazy: boolean, { unmounted }: UnmountReport): void {
  try {
    unmount(target, lazy);
  } catch (error) {
    if (errnoOf(error) !== 'EBUSY') throw toInitError(error, 'mount', `cannot unmount ${target}`);
    throw inUse(
      usersOf([target]),
      `${target}${unmounted.length > 0 ? `, after ${unmounted.join(' ')} went,` : ''}`,
    );
  }
}

/** The error for what is in use. */
export const inUse = (users: readonly MountUser[], what: string): InitError =>
  new InitError({
    stage: 'mount',
    what: `${what} is in use${users.length > 0 ? ` by ${describeUsers(users)}` : ''}`,
    errno: 'EBUSY',
    remedy: 'stop what uses it, or nix-cache-init unmount --lazy',
    exitCode: Exit.locked,
  });

/** That nobody mounts meanwhile what is about to go. */
async function takeLocks(
  record: HookRecord | undefined,
  signal: AbortSignal,
): Promise<{ claim: number; volume?: number }> {
  const remedy = 'an init has it: stop that';
  const claim = await takeLock({
    of: 'mounts',
    path: runLayout.claim,
    waitMs: 0,
    signal,
    stays: true,
    remedy,
  });
  const volume = record?.steps.find((step) => step.do === 'lock' && step.of === 'volume');
  if (volume?.do !== 'lock') return { claim };
  try {
    const path = volume.path;
    return {
      claim,
      volume: await takeLock({ path, waitMs: LOCK_WAIT_MS, signal, stays: true, own: true }),
    };
  } catch (error) {
    closeSync(claim);
    throw error;
  }
}

/** As an init does before its container ends. */
function noteRoots({ steps }: HookRecord, log: Log): void {
  for (const step of steps) {
    if (step.do === 'roots') recordIndirectRoots({ ...step, mounts: readMountInfo }, log);
  }
}
