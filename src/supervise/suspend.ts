import { listProcesses, sendSignal } from '../linux/process.ts';
import { signalNumber } from '../linux/signals.ts';
import { foregroundTerminal, giveTerminal, reclaimTerminal } from '../linux/terminal.ts';
import type { Stopped } from '../linux/wait.ts';
import type { Reaper } from './reaper.ts';

/** What job control stops a program with. SIGSTOP is not among them: whoever sends that means this process, not us. */
const jobControl: ReadonlySet<NodeJS.Signals> = new Set(['SIGTSTP', 'SIGTTIN', 'SIGTTOU']);

export type SuspensionOptions = {
  main: number;
  /** The terminal that the main command has, if it has one. */
  terminal: number | undefined;
  /** Sends a signal to the main command, as forwarding does. */
  send: (signal: NodeJS.Signals) => void;
  reaper: Reaper;
};

/**
 * Ctrl-Z on a main command that is no shell. It has a process group of its own, so whoever started init (a shell, say) sees
 * nothing of its stop, unless init stops too. PID 1 cannot be stopped, and nobody could wake the command: it goes on.
 */
export class Suspension {
  readonly #options: SuspensionOptions;
  /** Whether someone asked init itself to stop, with or without a terminal, and will also wake it. */
  #asked = false;

  constructor(options: SuspensionOptions) {
    this.#options = options;
    options.reaper.onStop((stopped) => this.#stopped(stopped));
  }

  /** Call before a signal is forwarded. */
  consider(signal: NodeJS.Signals): void {
    if (jobControl.has(signal)) this.#asked = true;
    if (signal !== 'SIGCONT') return;
    this.#asked = false;
    const { main, terminal } = this.#options;
    // Resumed by `fg`; after `bg` the terminal is another's.
    if (terminal !== undefined && foregroundTerminal() === terminal) giveTerminal(terminal, main);
  }

  #stopped({ pid, stopped }: Stopped): void {
    const { main, terminal, send } = this.#options;
    if (pid !== main || ![...jobControl].some((name) => signalNumber(name) === stopped)) return;
    // PID 1, or a process that `docker exec` started: nobody in here is our parent.
    if (process.ppid === 0) {
      if (terminal !== undefined && !this.#asked && stopped === signalNumber('SIGTSTP')) send('SIGCONT');
    } else if (terminal !== undefined) {
      reclaimTerminal(terminal);
      suspendOurGroup();
    } else if (this.#asked) {
      sendSignal(process.pid, 'SIGSTOP');
    }
  }
}

/** As the terminal would have done to all of it, had our group been its foreground. */
function suspendOurGroup(): void {
  const processes = listProcesses();
  const group = processes.find(({ pid }) => pid === process.pid)?.group;
  for (const { pid, group: theirs } of processes) {
    if (theirs === group && pid !== process.pid) sendSignal(pid, 'SIGTSTP');
  }
  sendSignal(process.pid, 'SIGSTOP');
}
