import { existsSync, renameSync, symlinkSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { makeDirectories } from '../linux/directories.ts';
import { readIfThere } from '../linux/read.ts';
import { removeFile } from '../linux/remove.ts';
import { replaceFile } from '../linux/replace.ts';
import type { Log } from '../log.ts';
import { placeConf, withIncludes } from './include.ts';
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
 * Tells Nix of the binary cache: generates settings, and has nix.conf include them. That is a file of the container, because
 * the shells of `docker exec` inherit nothing from PID 1. Doing it twice changes nothing.
 */
export function writeSettings(request: SettingsRequest, log: Log): void {
  const { own, key, confDir, userConfDir, readOnly } = request;
  const files = ownFiles(own);
  const user = readIfThere(`${confDir}/nix.conf`) ?? '';
  makeDirectories(own, 0o755);
  const usable = existsSync(publicKey(key));
  const settings = usable ? settingsOf(request) : '';
  const hook = usable && !readOnly ? placeHook(request) : '';
  const offline = turnsOff(user) ? '' : 'substitute = true\n';
  if (userConfDir === undefined) {
    // After nix.conf, of whose settings it would take the place.
    const unlessSet = setsHook(`${user}\n${process.env['NIX_CONFIG'] ?? ''}`) ? '' : hook;
    generate(files.settings, settings + offline + unlessSet);
    log.info(
      `cannot write ${confDir}/nix.conf: for docker exec add -e 'NIX_CONFIG=!include ${files.settings}'`,
    );
    return;
  }
  generate(files.defaults, hook);
  generate(files.settings, settings);
  makeDirectories(confDir, 0o755);
  placeConf(`${confDir}/nix.conf`, withIncludes(user, { before: files.defaults, after: files.settings }));
  if (offline !== '') allowOffline(userConfDir, files.offline, offline, log);
}

const generate = (path: string, settings: string): void =>
  replaceFile(path, `# Made by nix-cache-init at boot.\n${settings}`);

function settingsOf({ cache, key }: CachePlaces): string {
  const uri = cacheUri(cache);
  return `extra-substituters = ${uri}
extra-trusted-substituters = ${uri}
extra-trusted-public-keys = ${readPublicKey(key)}
`;
}

/** Nix runs it without arguments, so what it is to do is in a file beside it. */
function placeHook({ own, nix, cache, key }: CachePlaces): string {
  const { hook, hookRequest, temporary } = ownFiles(own);
  replaceFile(hookRequest, `${JSON.stringify({ nix, cache, key })}\n`);
  removeFile(temporary);
  // To init's own program, which can be executed in any case: /run may be mounted noexec.
  symlinkSync(process.execPath, temporary);
  renameSync(temporary, hook);
  return `post-build-hook = ${hook}\n`;
}

/**
 * Without a network `nix develop` and the like do without substituters, this one too, unless a file that is not the first
 * says otherwise (src/nix/main.cc: what nix.conf says is no override).
 */
function allowOffline(dir: string, file: string, setting: string, log: Log): void {
  generate(file, setting);
  try {
    makeDirectories(dir, 0o755);
    placeConf(`${dir}/nix.conf`, withIncludes(readIfThere(`${dir}/nix.conf`) ?? '', { before: file }));
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    log.info(`cannot write ${dir}/nix.conf: without a network set NIX_CONFIG='substitute = true'`);
  }
}

const setsHook = (text: string): boolean => /^\s*post-build-hook\s*=\s*\S/m.test(text);
const turnsOff = (text: string): boolean => /^\s*substitute\s*=\s*false\b/m.test(text);
