import * as z from 'zod/mini';

// A NUL would end it early, where C reads it.
export const text = z.string().check(z.regex(/^[^\0]*$/));
export const nonEmptyText = z.string().check(z.regex(/^[^\0]+$/));

/** `z.record`, which passes over a key `__proto__` unseen. */
export function recordOf<K extends z.core.$ZodRecordKey, V extends z.core.SomeType>(key: K, value: V) {
  const whole = z
    .unknown()
    .check(z.refine((it) => !(Object(it) === it && Object.hasOwn(Object(it), '__proto__'))));
  return z.pipe(whole, z.record(key, value));
}
