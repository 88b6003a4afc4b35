import { constants } from 'node:os';

const milliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A time such as `8s` or `1.5m`, in milliseconds.
 * @returns undefined for anything else: a number without a unit is ambiguous, and one beyond all counting no time.
 */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : milliseconds[unit];
  const time = Math.round(Number(number) * (factor ?? Number.NaN));
  return Number.isSafeInteger(time) ? time : undefined;
}

const sizes: Readonly<Record<string, number>> = {
  '': 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/**
 * A size such as `20G` or `1.5T`, in bytes, by units of 1024 as Nix and du(1) have them; without a unit it is in bytes.
 * @returns undefined for anything else.
 */
export function parseSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(text) ?? [];
  const factor = sizes[unit];
  if (number === undefined || factor === undefined) return undefined;
  const bytes = Math.round(Number(number) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * A signal by its name, `TERM` or `SIGTERM` (signal(7)).
 * @returns undefined for anything else.
 */
export function parseSignal(text: string): NodeJS.Signals | undefined {
  const name = text.startsWith('SIG') ? text : `SIG${text}`;
  return Object.hasOwn(constants.signals, name) ? (name as NodeJS.Signals) : undefined;
}

const sizeUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `12.5 GiB`. */
export function formatSize(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), sizeUnits.length - 1);
  const value = bytes / 1024 ** power;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${sizeUnits[power]}`;
}
