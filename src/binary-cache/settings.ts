import { existsSync, renameSync, symlinkSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { readIfThere } from '../linux/read.ts';
import { removeFile } from '../linux/remove.ts';
import { replaceFile } from '../linux/replace.ts';
import type { Log } from '../log.ts';
import { putLines, withoutLines } from '../state/nix-conf-lines.ts';
import { readPublicKey } from './key.ts';
import { type CachePlaces, cacheUri, ownFiles, publicKey } from './places.ts';

export type SettingsRequest = CachePlaces & {
  readOnly: boolean;
  /** The directory of nix.conf. */
  confDir: string;
  /** The directory of the settings of all users, to write to as to that; without it a variable is all that can be set. */
  userConfDir: string | undefined;
};

/**
 * Tells Nix of the binary cache, in nix.conf: a file of the container, because the shells of `docker exec` inherit nothing
 * from PID 1. Where that cannot be written, in a file that a variable can have Nix include. Doing it twice changes nothing.
 * @param ending is given what takes it back.
 */
export function writeSettings(
  request: SettingsRequest,
  log: Log,
  ending: (action: () => void) => void,
): void {
  const { own, key, confDir, userConfDir, readOnly } = request;
  const files = ownFiles(own);
  const user = withoutLines(readIfThere(`${confDir}/nix.conf`) ?? '');
  makeDirectories(own, 0o755);
  const usable = existsSync(publicKey(key));
  const settings = usable ? settingsOf(request) : [];
  const hook = usable && !readOnly ? placeHook(request) : [];
  const offline = turnsOff(user) ? [] : ['substitute = true'];
  if (userConfDir === undefined) {
    // After nix.conf, of whose settings it would take the place.
    const unlessSet = setsHook(`${user}\n${process.env['NIX_CONFIG'] ?? ''}`) ? [] : hook;
    const lines = ['# Made by nix-cache-init at boot.', ...settings, ...offline, ...unlessSet];
    replaceFile(files.settings, `${lines.join('\n')}\n`);
    log.info(
      `cannot write ${confDir}/nix.conf: for docker exec add -e 'NIX_CONFIG=!include ${files.settings}'`,
    );
    return;
  }
  ending(putLines(`${confDir}/nix.conf`, { before: hook, after: settings }));
  if (offline.length > 0) allowOffline(userConfDir, offline, log, ending);
}

function settingsOf({ cache, key }: CachePlaces): string[] {
  const uri = cacheUri(cache);
  return [
    `extra-substituters = ${uri}`,
    `extra-trusted-substituters = ${uri}`,
    `extra-trusted-public-keys = ${readPublicKey(key)}`,
  ];
}

/** Nix runs it without arguments, so what it is to do is in a file beside it. */
function placeHook({ own, nix, cache, key }: CachePlaces): string[] {
  const { hook, hookRequest, temporary } = ownFiles(own);
  replaceFile(hookRequest, `${JSON.stringify({ nix, cache, key })}\n`);
  removeFile(temporary);
  // To init's own program, which can be executed in any case: /run may be mounted noexec.
  symlinkSync(process.execPath, temporary);
  renameSync(temporary, hook);
  return [`post-build-hook = ${hook}`];
}

/**
 * Without a network `nix develop` and the like do without substituters, this one too, unless a file that is not the first
 * says otherwise (src/nix/main.cc: what nix.conf says is no override).
 */
function allowOffline(
  dir: string,
  lines: readonly string[],
  log: Log,
  ending: (action: () => void) => void,
): void {
  try {
    ending(putLines(`${dir}/nix.conf`, { before: lines }));
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    log.info(`cannot write ${dir}/nix.conf: without a network set NIX_CONFIG='substitute = true'`);
  }
}

const setsHook = (text: string): boolean => /^\s*post-build-hook\s*=\s*\S/m.test(text);
const turnsOff = (text: string): boolean => /^\s*substitute\s*=\s*false\b/m.test(text);
