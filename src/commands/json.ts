import * as z from 'zod/mini';
import { printOut } from '../log.ts';

/** Prints an answer for programs. */
export function printJson(answer: unknown): void {
  printOut(`${JSON.stringify(answer, null, 2)}\n`);
}

/** Prints the JSON Schema (https://json-schema.org/draft/2020-12) of what a command says with `--json`. */
export function printSchema(command: string, schema: z.core.$ZodType): number {
  printJson({ title: `nix-cache-init ${command}`, ...z.toJSONSchema(schema) });
  return 0;
}
