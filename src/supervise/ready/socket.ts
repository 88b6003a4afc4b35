import { existsSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from '../../errors.ts';
import type { Readiness } from './readiness.ts';

/** Between bind(2) and listen(2) a socket refuses, and no event tells when that is over. */
const REFUSED_MS = 10;
/** Where the kernel has no inotify watch left for us. */
const UNWATCHED_MS = 100;

/** Ready when a connection to a Unix socket is accepted. */
export function socketReadiness(path: string, timeoutMs: number): Readiness {
  const closing = new AbortController();
  return {
    timeoutMs,
    wait: () => untilAccepting(path, closing.signal),
    close: () => closing.abort(),
  };
}

async function untilAccepting(path: string, closed: AbortSignal): Promise<void> {
  while (!closed.aborted) {
    // Before the attempt, so that nothing goes unseen between the two.
    const watched = watchFor(path);
    try {
      const refusal = await connectOnce(path);
      if (refusal === undefined) return;
      const refused = hasErrno(refusal, 'ECONNREFUSED', 'EAGAIN');
      await firstOf(closed, watched?.changed, refused ? REFUSED_MS : watched ? undefined : UNWATCHED_MS);
    } finally {
      watched?.close();
    }
  }
}

type Watched = { changed: Promise<void>; close(): void };

/** Watches the nearest directory that there is; undefined where that is not possible. */
function watchFor(path: string): Watched | undefined {
  for (;;) {
    const nearest = nearestDirectory(path);
    try {
      const watcher = watch(nearest);
      // A directory that goes away is a change too.
      const changed = new Promise<void>((resolve) => {
        watcher.on('change', () => resolve()).on('error', () => resolve());
      });
      // One that came into being meanwhile would be missed.
      if (nearestDirectory(path) === nearest) return { changed, close: () => watcher.close() };
      watcher.close();
    } catch (error) {
      if (hasErrno(error, 'EMFILE', 'ENOSPC', 'EACCES')) return undefined;
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }
}

function nearestDirectory(path: string): string {
  const parent = dirname(path);
  return parent === '/' || existsSync(`${parent}/.`) ? parent : nearestDirectory(parent);
}

/**
 * Connects to a Unix socket and hangs up.
 * @returns why it failed, if it did.
 */
export function connectOnce(path: string): Promise<Error | undefined> {
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve) => {
    const connection = connect(path);
    connection.on('error', resolve).on('connect', () => {
      connection.destroy();
      resolve(undefined);
    });
  });
}

/** Waits for a change, or so many milliseconds, or the end. */
function firstOf(
  closed: AbortSignal,
  changed: Promise<void> | undefined,
  ms: number | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      closed.removeEventListener('abort', done);
      resolve();
    };
    const timer = ms === undefined ? undefined : setTimeout(done, ms);
    closed.addEventListener('abort', done);
    changed?.then(done);
    if (closed.aborted) done();
  });
}
