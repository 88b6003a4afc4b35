import { Exit, InitError } from '../errors.ts';
import { brief } from './brief.ts';
import { withoutCredentials } from './cache-uri.ts';
import { type Config, type KeyName, keys } from './keys.ts';
import type { Origins } from './load.ts';
import { nearest } from './nearest.ts';
import { readyFields, serviceFields } from './services.ts';

/** The error for a configuration that cannot be used (78). */
export const refuse = (what: string, remedy: string, cause?: unknown): InitError =>
  new InitError({ stage: 'config', what, errno: 'EINVAL', remedy, exitCode: Exit.config, cause });

/** A refused value, as a message shows it; shortened last, or half a password would not be known for one. */
export const shown = (value: unknown): string => brief(withoutCredentials(JSON.stringify(value)));

export function unknownKey(name: string, origin: string, known: readonly string[]): InitError {
  const short = brief(name);
  return refuse(`unknown key ${short} in ${origin}`, `did you mean ${nearest(short, known)}?`);
}

/** What zod says of a value, as far as it is used here. */
export type Issue = { code: string; path: readonly PropertyKey[]; keys?: readonly string[] };

type Refused = { name: KeyName; value: unknown; origin: string; issue: Issue | undefined };

/** The error for a value that its schema refuses: the key, its source and what is allowed. */
export function refuseValue({ name, value, origin, issue }: Refused): InitError {
  if (name === 'services') return refuseService(value, origin, issue);
  return refuse(`${name} is ${shown(value)} in ${origin}`, `allowed: ${keys[name].allowed}`);
}

/** The error for `lowerStore` beside another strategy than the only one that reads it, no fallback of which leads there. */
export function refuseLowerStore(origins: Origins, strategy: Config['strategy']): InitError {
  const what = `lowerStore is set in ${origins.lowerStore}, but strategy is ${strategy} (${origins.strategy}), which would ignore it`;
  return refuse(what, 'set strategy=local-overlay, or remove lowerStore');
}

/** Services are nested: named is the place within, and no more shown than the value there. */
function refuseService(value: unknown, origin: string, issue: Issue | undefined): InitError {
  const path = (issue?.path ?? []).map(String);
  const place = brief(['services', ...path].join('.'));
  const fields: Readonly<Record<string, string>> = path[1] === 'ready' ? readyFields : serviceFields;
  const [unknown] = issue?.code === 'unrecognized_keys' ? (issue.keys ?? []) : [];
  if (unknown !== undefined) {
    const known = Object.keys(fields).map((field) => `${place}.${field}`);
    return unknownKey(`${place}.${unknown}`, origin, known);
  }
  const field = path[1] === 'ready' ? (path[2] ?? 'ready') : path[1];
  const allowed = field === undefined ? keys.services.allowed : (fields[field] ?? serviceFields.ready);
  return refuse(`${place} ${describe(path, value)} in ${origin}`, `allowed: ${allowed}`);
}

/** A whole service, and what is in an environment, may hold a password. */
function describe(path: readonly string[], value: unknown): string {
  const there = path.reduce<unknown>((node, part) => Object(node)[part], value);
  if (there === undefined) return 'is missing';
  return path.length < 2 || path[1] === 'env' ? 'cannot be used' : `is ${shown(there)}`;
}
