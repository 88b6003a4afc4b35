import { writeFileSync, writeSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Config } from './config/keys.ts';
import type { Journal } from './journal.ts';
import { isTerminal } from './linux/terminal.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What the rest of the program sees of the log. */
export type Log = {
  error(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
};

/**
 * Writes to stderr at once and come what may: a closed or full stderr must not end PID 1, and with it the container.
 * Never process.stderr: opening it would reconfigure a terminal (DESIGN §3).
 */
export function writeStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nowhere is left to report it to.
  }
}

/** Prints a command's answer. Synchronous: the process ends right after it. */
export function printOut(text: string): void {
  writeFileSync(1, text);
}

const severities = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' } as const;

/** `nix-cache-init: warn: message key=value`, for people. */
export function formatForTerminal(line: string): string {
  const { level, time: _, name: __, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const severity = severities[level as keyof typeof severities];
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `nix-cache-init: ${severity}: ${String(msg)}${rest.join('')}\n`;
}

/** The moment at which everything said so far has been written. */
let written: Promise<void> = Promise.resolve();

/** Await this before the process ends: lines wait for pino to be loaded. */
export const logWritten = (): Promise<void> => written;

/**
 * A logger that costs nothing until it has something to say: pino is only loaded for the first line.
 * @param journal gets everything, whatever the level.
 */
export function createLog(config: Pick<Config, 'log.level' | 'log.format'>, journal?: Journal): Log {
  const order = ['debug', 'info', 'warn', 'error', 'silent'];
  const threshold = order.indexOf(config['log.level']);
  let logger: Promise<Logger> | undefined;
  const start = async (): Promise<Logger> => {
    const { pino } = await import('pino');
    const format = config['log.format'];
    const text = format === 'text' || (format === 'auto' && isTerminal(2));
    return pino(
      {
        base: { name: 'nix-cache-init' },
        level: config['log.level'],
        timestamp: pino.stdTimeFunctions.isoTime,
      },
      { write: (line: string) => writeStderr(text ? formatForTerminal(line) : line) },
    );
  };
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Fields = {}) => {
      journal?.add({ time: Date.now(), level, message, fields });
      if (order.indexOf(level) < threshold) return;
      logger ??= start();
      const line = logger.then((ready) => ready[level](fields, message));
      written = Promise.all([written, line]).then(() => {});
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
