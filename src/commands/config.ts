import { withoutCredentials } from '../config/cache-uri.ts';
import type { CommandLine } from '../config/flags.ts';
import { keyNames, keys } from '../config/keys.ts';
import { loadConfig } from '../config/load.ts';
import { jsonSchema } from '../config/schema.ts';
import { withoutSecrets } from '../config/services.ts';
import { printOut } from '../log.ts';
import { printJson, printSchema } from './json.ts';
import { configSchema } from './schemas/config.ts';

/** Prints the effective configuration with its origins, or its JSON Schema. */
export async function runConfig({ flags, file, switches }: CommandLine): Promise<number> {
  if (switches.has('schema')) {
    // The two switches together ask about the one's answer.
    if (switches.has('json')) return printSchema('config', configSchema);
    printJson(jsonSchema());
    return 0;
  }
  const { config, raw: said, origins } = await loadConfig({ flags, file, env: process.env });
  const raw = {
    ...said,
    services: withoutSecrets(config.services),
    'push.to': config['push.to'].map(withoutCredentials),
  };
  if (switches.has('json')) {
    const entries = keyNames.map((name) => [name, { value: raw[name] ?? null, origin: origins[name] }]);
    printJson(Object.fromEntries(entries));
    return 0;
  }
  const width = Math.max(...keyNames.map((name) => name.length));
  for (const name of keyNames) {
    const value = raw[name];
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    printOut(`${name.padEnd(width)}  ${(shown ?? '').padEnd(14)}  ${origins[name]}  (${keys[name].help})\n`);
  }
  return 0;
}
