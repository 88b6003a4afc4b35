import * as z from 'zod/mini';

/** What `unmount --json` prints. */
export const unmountSchema = z.strictObject({
  unmounted: z.array(z.string()),
  users: z.array(z.strictObject({ pid: z.nullable(z.number()), name: z.string(), path: z.string() })),
});

/** The JSON Schema of it (https://json-schema.org/draft/2020-12). */
export const unmountJsonSchema = (): object => ({
  title: 'nix-cache-init unmount',
  ...z.toJSONSchema(unmountSchema),
});

/** What `service --json` prints. */
export const serviceSchema = z.strictObject({ changed: z.array(z.string()), next: z.array(z.string()) });

export const serviceJsonSchema = (): object => ({
  title: 'nix-cache-init service',
  ...z.toJSONSchema(serviceSchema),
});
