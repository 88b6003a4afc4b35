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

/**
 * A signal by its name, `TERM` or `SIGTERM` (signal(7)).
 * @returns undefined for anything else.
 */
export function parseSignal(text: string): NodeJS.Signals | undefined {
  const name = text.startsWith('SIG') ? text : `SIG${text}`;
  return Object.hasOwn(constants.signals, name) ? (name as NodeJS.Signals) : undefined;
}
