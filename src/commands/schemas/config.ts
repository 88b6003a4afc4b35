import * as z from 'zod/mini';
import { type KeyName, keyNames } from '../../config/keys.ts';
import { schemas } from '../../config/schemas.ts';

const entryOf = (name: KeyName) => [
  name,
  z.strictObject({ value: z.nullable(schemas[name]), origin: z.string() }),
];

/** What `config --json` prints: each key's value as a file would say it, null for none, and where it came from. */
export const configSchema = z.strictObject(Object.fromEntries(keyNames.map(entryOf)));
