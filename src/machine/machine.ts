import { chdir } from 'node:process';
import { Exit, errnoOf, InitError, toInitError } from '../errors.ts';
import { Mount, mount, unmount } from '../linux/mount.ts';
import { readMountInfo } from '../linux/mountinfo.ts';
import { catchCtrlAltDel, endMachine, type WayOut } from '../linux/power.ts';
import { writeStderr } from '../log.ts';
import { mountBasics } from './basics.ts';
import { openConsole } from './console.ts';
import { findInTable, mountEntry } from './fstab.ts';

/** What a kernel gives its init is less than an engine gives a container: HOME and TERM. */
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A machine whose only init we are: what an engine does for a container is ours to do, and so is its end (docs/decisions/0020). */
export class Machine {
  #way: WayOut = 'power off';
  #volume: string | undefined;

  /** Ctrl-Alt-Del is the kernel's INT to us: the terminal's goes to the command alone. */
  readonly translate = (signal: NodeJS.Signals): NodeJS.Signals => {
    if (signal !== 'SIGINT') return signal;
    this.#way = 'restart';
    return 'SIGTERM';
  };

  /** @throws {InitError} 74 for what no command can do without. */
  prepare(): void {
    try {
      mountBasics();
      openConsole();
      catchCtrlAltDel();
    } catch (error) {
      throw toInitError(error, 'mount', 'cannot make the machine ready');
    }
    process.env['PATH'] ??= path;
    if (process.env['HOME'] === '/') process.env['HOME'] = '/root';
  }

  /** Mounts the volume as /etc/fstab has it, unless somebody has. */
  mountVolume(cacheDir: string): void {
    if (readMountInfo().some(({ target }) => target === cacheDir)) return;
    const entry = findInTable(cacheDir);
    if (entry === undefined) return;
    try {
      mountEntry(entry);
      this.#volume = cacheDir;
    } catch (error) {
      if (error instanceof InitError) throw error;
      throw new InitError({
        stage: 'mount',
        what: `cannot mount ${entry.source} at ${cacheDir}`,
        errno: errnoOf(error),
        remedy: 'look at its line in /etc/fstab, and whether the kernel has a driver for it',
        exitCode: Exit.io,
        cause: error,
      });
    }
  }

  /**
   * Turns the machine off, or restarts it. Its disks have everything then.
   * @returns the exit code where that is not allowed: in no machine after all.
   */
  end(code: number): number {
    writeStderr(`nix-cache-init: ${this.#way}: the command ended with ${code}\n`);
    chdir('/');
    if (this.#volume !== undefined) this.#try(() => unmount(this.#volume ?? ''), 'the volume');
    // What is open for writing on it keeps it from that; then it is at least written.
    this.#try(() => mount('none', '/', 'none', Mount.remount | Mount.readOnly), 'the root');
    this.#try(() => endMachine(this.#way), this.#way);
    return code;
  }

  /** Whatever fails, the machine goes. */
  #try(act: () => void, what: string): void {
    try {
      act();
    } catch (error) {
      writeStderr(`nix-cache-init: ${this.#way}: ${what}: ${errnoOf(error)}\n`);
    }
  }
}
