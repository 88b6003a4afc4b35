import * as z from 'zod/mini';
import { keyNames, keys } from './keys.ts';
import { schemas } from './schemas.ts';

type Section = { type: 'object'; properties: Record<string, unknown>; additionalProperties: false };

const section = (): Section => ({ type: 'object', properties: {}, additionalProperties: false });

/** The JSON Schema of the configuration file, for editors (https://json-schema.org/draft/2020-12). */
export function jsonSchema(): Section & Record<'$schema' | 'title', string> {
  const root = section();
  root.properties['$schema'] = { type: 'string' };
  for (const name of keyNames) {
    const { initial, help, allowed } = keys[name];
    const { $schema: _, ...leaf } = z.toJSONSchema(schemas[name]);
    const [first = '', second] = name.split('.');
    const described = { ...leaf, description: `${help} (${allowed})`, default: initial };
    if (second === undefined) {
      root.properties[first] = described;
      continue;
    }
    root.properties[first] ??= section();
    (root.properties[first] as Section).properties[second] = described;
  }
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'nix-cache-init', ...root };
}
