import { chmodSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { Exit, hasErrno, InitError } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { flushDirectory, flushFileSystem } from '../linux/flush.ts';
import { removeTree } from '../linux/remove.ts';
import { type Running, runNix } from '../nix/program.ts';
import { nixError } from './nix.ts';
import { type CachePlaces, publicKey, secretKey } from './places.ts';

/** The public key of the binary cache, as nix.conf wants it. */
export const readPublicKey = (key: string): string => readFileSync(publicKey(key), 'utf8').trim();

/**
 * Makes the key pair unless there is one: beside, flushed, and renamed into place as one directory, so that a kill or a power
 * cut leaves none or a whole one.
 * @throws {InitError} 78 when half of it is gone; what it has signed could not be added to, or not be trusted.
 */
export async function ensureKey({ key, nixStore }: CachePlaces, running: Running): Promise<void> {
  const halves = [secretKey(key), publicKey(key)];
  const missing = halves.filter((path) => !existsSync(path));
  if (missing.length === 0) return;
  if (missing.length === 1 || existsSync(key)) throw halfKey(key, missing.join(' '));
  const staging = `${key}.new`;
  removeTree(staging);
  makeDirectories(staging, 0o755);
  try {
    const make = ['--generate-binary-cache-key', keyName(), secretKey(staging), publicKey(staging)];
    await runNix([nixStore, ...make], running);
  } catch (error) {
    running.signal.throwIfAborted();
    throw nixError('cannot make the key of the binary cache', error);
  }
  setMode(secretKey(staging), 0o600);
  setMode(publicKey(staging), 0o644);
  flushFileSystem(staging);
  renameSync(staging, key);
  flushDirectory(dirname(key));
}

/** Of two keys of one name Nix takes the first, so each cache's has its own. node:crypto is too much for eight digits. */
const keyName = (): string =>
  `nix-cache-init-${readFileSync('/proc/sys/kernel/random/uuid', 'latin1').slice(0, 8)}-1`;

/** On a file system without modes those are what its mount says. */
function setMode(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error;
  }
}

const halfKey = (key: string, missing: string): InitError =>
  new InitError({
    stage: 'seed',
    what: `${missing} is missing`,
    errno: 'ENOENT',
    remedy: `put it back, or have everything signed anew: rm -r ${key} and the binary cache`,
    exitCode: Exit.config,
  });
