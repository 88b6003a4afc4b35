import { envName, keyNames } from './keys.ts';
import type { LoadedConfig } from './load.ts';

/** Variables by which a command that init starts has the configuration of init; what came from variables it inherits. */
export function configurationVariables({
  raw,
  origins,
}: Pick<LoadedConfig, 'raw' | 'origins'>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of keyNames) {
    const value = raw[name];
    if (value === undefined || !/^(flag|file) /.test(origins[name])) continue;
    variables[envName(name)] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return variables;
}
