import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { findCommand } from '../../linux/commands.ts';
import { makeDirectories } from '../../linux/directories.ts';
import { readIfThere } from '../../linux/read.ts';
import { removeFile } from '../../linux/remove.ts';
import { replaceFile } from '../../linux/replace.ts';
import type { Manager } from './templates.ts';

const NAME = 'nix-cache-init';
const unitName = `${NAME}.service`;

type Place = { file: string; mode: number };

export const places: Readonly<Record<Manager, Place>> = {
  systemd: { file: `/etc/systemd/system/${unitName}`, mode: 0o644 },
  sysv: { file: `/etc/init.d/${NAME}`, mode: 0o755 },
};

/** What was done, and what is left to type. */
export type ServiceReport = { changed: string[]; next: string[] };

/** Where systemd has units, it starts the services (sd_booted(3) asks only for one that runs). */
export function managerHere(): Manager {
  const units = ['/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
  return units.some((directory) => existsSync(directory)) ? 'systemd' : 'sysv';
}

/** Writes the file and has it start at boot; what is so already stays. */
export function installService(manager: Manager, text: string): ServiceReport {
  const { file, mode } = places[manager];
  const changed: string[] = [];
  if (readIfThere(file) !== text) {
    makeDirectories(dirname(file), 0o755);
    replaceFile(file, text);
    changed.push(file);
  }
  chmodSync(file, mode);
  return manager === 'systemd' ? enableUnit(changed) : enableScript(changed);
}

/** Takes both away again; what is mounted stays. */
export function uninstallService(manager: Manager): ServiceReport {
  const { file } = places[manager];
  const links = manager === 'systemd' ? [wants] : scriptLinks();
  const changed = [...links, file].filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  for (const path of changed) removeFile(path);
  const reload = manager === 'systemd' && changed.length > 0 ? ['systemctl daemon-reload'] : [];
  return { changed, next: reload };
}

const wants = `/etc/systemd/system/sysinit.target.wants/${unitName}`;

/** As systemctl enable does it, which need not run for that: node-linux's own does nothing. */
function enableUnit(changed: string[]): ServiceReport {
  if (lstatSync(wants, { throwIfNoEntry: false }) === undefined) {
    makeDirectories(dirname(wants), 0o755);
    symlinkSync(`../${unitName}`, wants);
    changed.push(wants);
  }
  return { changed, next: changed.length > 0 ? ['systemctl daemon-reload', `systemctl start ${NAME}`] : [] };
}

/** The links of its run levels are made from the script's head by insserv, where update-rc.d calls that. */
function enableScript(changed: string[]): ServiceReport {
  const before = scriptLinks();
  const updateRc = findCommand('update-rc.d', `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`);
  if (updateRc === undefined)
    return { changed, next: [`link ${places.sysv.file} into the run levels`, `${places.sysv.file} start`] };
  execFileSync(updateRc, [NAME, 'defaults'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const made = scriptLinks().filter((link) => !before.includes(link));
  changed.push(...made);
  return { changed, next: changed.length > 0 ? [`${places.sysv.file} start`] : [] };
}

function scriptLinks(): string[] {
  const levels = readdirSync('/etc').filter((name) => /^rc[0-6S]\.d$/.test(name));
  return levels
    .flatMap((level) => readdirSync(`/etc/${level}`).map((name) => `/etc/${level}/${name}`))
    .filter((link) => /\/[SK]\d\dnix-cache-init$/.test(link) && readlinkSync(link) === `../init.d/${NAME}`);
}
