import { closeSync, constants, openSync } from 'node:fs';
import { readIfThere } from '../linux/read.ts';
import { adoptTerminal } from '../linux/terminal.ts';

/**
 * Gives us, and by us the command, the terminal behind /dev/console, which itself can be nobody's controlling terminal
 * (tty_open() in drivers/tty/tty_io.c). Without one, everything stays as the kernel opened it.
 */
export function openConsole(): void {
  const name = consoleTerminal();
  if (name === undefined) return;
  const fd = openSync(`/dev/${name}`, constants.O_RDWR | constants.O_NOCTTY);
  try {
    adoptTerminal(fd);
  } finally {
    closeSync(fd);
  }
}

/** The last of the consoles is where input comes from; `tty0` stands for the virtual terminal in front. */
function consoleTerminal(): string | undefined {
  let name = activeOf('console');
  for (let next = name; next !== undefined; next = activeOf(next)) name = next;
  return name;
}

const activeOf = (terminal: string): string | undefined =>
  readIfThere(`/sys/class/tty/${terminal}/active`)?.trim().split(/\s+/).at(-1) || undefined;
