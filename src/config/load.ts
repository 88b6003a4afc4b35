import { whyNotJson } from './json.ts';
import { type Config, envName, flagName, type KeyName, keyNames, keys } from './keys.ts';
import { readConfigFile } from './read.ts';
import { refuse, refuseLowerStore, refuseValue, shown, unknownKey } from './refuse.ts';
import { parseDuration, parseSize } from './units.ts';

export const defaultConfigFile = '/etc/nix-cache-init/config.json';

/** Where a value came from, as a user would name the place: `default`, `file /etc/…`, `environment NIX_…`, `flag --…`. */
export type Origins = Readonly<Record<KeyName, string>>;

/** `raw` is as a configuration file would say it, for showing. */
export type LoadedConfig = {
  config: Config;
  raw: Readonly<Partial<Record<KeyName, unknown>>>;
  origins: Origins;
};

export type ConfigSources = {
  /** Flags by key; the text as given. */
  flags: ReadonlyMap<KeyName, string>;
  env: Readonly<Record<string, string | undefined>>;
  /** A file named with --config must exist; the default one need not. */
  file?: string | undefined;
};

/** One raw value on its way to being the effective one. */
type Candidate = { value: unknown; origin: string };

type Layer = Map<KeyName, Candidate>;

const isKey = (name: string): name is KeyName => Object.hasOwn(keys, name);

/** The values of a configuration file by dotted key. */
function flatten(object: object, origin: string, prefix = ''): Layer {
  const found: Layer = new Map();
  for (const [part, value] of Object.entries(object) as [string, unknown][]) {
    const name = `${prefix}${part}`;
    const nested = keyNames.filter((known) => known.startsWith(`${name}.`));
    if (isKey(name)) found.set(name, { value, origin });
    else if (nested.length > 0) {
      if (!isObject(value))
        throw refuse(
          `${name} is ${shown(value)} in ${origin}`,
          `allowed: an object with ${nested.join(', ')}`,
        );
      for (const [inner, candidate] of flatten(value, origin, `${name}.`)) found.set(inner, candidate);
      // Editors find the schema by this.
    } else if (name !== '$schema') throw unknownKey(name, origin, keyNames);
  }
  return found;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function fromFile(file: string | undefined): Layer {
  const path = file ?? defaultConfigFile;
  const text = readConfigFile(path, { optional: file === undefined });
  if (text === undefined) return new Map();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw refuse(`${path} is not JSON: ${whyNotJson(text, error)}`, 'correct the file', error);
  }
  if (!isObject(parsed))
    throw refuse(`${path} does not hold a JSON object`, 'write {"strategy": "overlay"} or the like');
  return flatten(parsed, `file ${path}`);
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 'true', 'yes'].map((word) => [word, true] as const),
  ...['0', 'false', 'no'].map((word) => [word, false] as const),
]);

/** What a JSON file would hold for this text; text that cannot be read stays text, for the schema to refuse. */
function fromText(name: KeyName, text: string): unknown {
  const { form } = keys[name];
  if (form === 'boolean') return booleans.get(text.toLowerCase()) ?? text;
  if (form !== 'json') return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function fromEnvironment(env: ConfigSources['env']): Layer {
  const found: Layer = new Map();
  const byName = new Map(keyNames.map((name) => [envName(name), name]));
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith('NIX_CACHE_INIT_')) continue;
    const name = byName.get(variable);
    if (name === undefined) throw unknownKey(variable, 'the environment', [...byName.keys()]);
    found.set(name, { value: fromText(name, text), origin: `environment ${variable}` });
  }
  return found;
}

function fromFlags(flags: ConfigSources['flags']): Layer {
  const found: Layer = new Map();
  for (const [name, text] of flags) {
    found.set(name, { value: fromText(name, text), origin: `flag --${flagName(name)}` });
  }
  return found;
}

/** @throws {InitError} 78 for the first value that its schema refuses; hidden ones count, they are no less wrong. */
async function validate(layers: readonly Layer[]): Promise<void> {
  if (layers.every((layer) => layer.size === 0)) return;
  const { schemas } = await import('./schemas.ts');
  for (const layer of layers) {
    for (const [name, { value, origin }] of layer) {
      const result = schemas[name].safeParse(value);
      if (result.success) continue;
      const { issues } = result.error;
      // A mistyped field is also a missing one; only the first says what to do.
      const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
      throw refuseValue({ name, value, origin, issue });
    }
  }
}

/** Keys that are each right, but not beside each other. */
function refuseContradiction({ config: { lowerStore, strategy }, origins }: LoadedConfig): void {
  if (lowerStore !== undefined && strategy !== 'local-overlay') throw refuseLowerStore(origins, strategy);
}

/**
 * The effective configuration: defaults, file, environment, flags; later wins (DESIGN §4.2).
 * @throws {InitError} 78, naming the key, its source, what is allowed and the nearest known key.
 */
export async function loadConfig({ flags, env, file }: ConfigSources): Promise<LoadedConfig> {
  const layers = [fromFile(file), fromEnvironment(env), fromFlags(flags)];
  await validate(layers);
  const config: Partial<Record<KeyName, unknown>> = {};
  const raw: Partial<Record<KeyName, unknown>> = {};
  const origins: Partial<Record<KeyName, string>> = {};
  for (const name of keyNames) {
    let winner: Candidate = { value: keys[name].initial, origin: 'default' };
    for (const layer of layers) winner = layer.get(name) ?? winner;
    const { value, origin } = winner;
    config[name] = effective(name, value);
    raw[name] = value;
    origins[name] = origin;
  }
  const loaded = { config: config as Config, raw, origins: origins as Origins };
  refuseContradiction(loaded);
  return loaded;
}

/** A value as the program works with it. */
function effective(name: KeyName, value: unknown): unknown {
  if (value === undefined) return undefined;
  const { form } = keys[name];
  if (form === 'duration') return parseDuration(String(value));
  return form === 'size' ? parseSize(String(value)) : value;
}
