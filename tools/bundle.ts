// The program as scripts: what every boot evaluates, what many do, and what only commands and some boots do
// (docs/decisions/0022).
import { relative } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { repository } from '../test/harness/paths.ts';

export type Bundled = { text: string; metafile: Metafile };

/** What is `import()`ed by many boots, and would have them evaluate all of `rest`. It holds nothing that others share. */
const apart = { configuration: 'src/config/schemas.ts', log: 'node_modules/pino/pino.js' };

/**
 * The modules of `boot` are evaluated in one go, without a function around each. For what they `import()` they ask
 * `require('rest:FILE')`; `rest` has a function for each of these, and asks `require('boot:FILE')` for a module of
 * `boot`, of which there must be no second one. src/loader.cjs answers both.
 */
export async function bundle(): Promise<Record<'boot' | 'rest' | keyof typeof apart, Bundled>> {
  const main = "export { main, exitNow } from './src/main.ts';";
  const unshared = await bundleOne(main, [importFromRest]);
  const boot = new Set(Object.keys(unshared.metafile.inputs));
  const later = externals(unshared.metafile, 'rest:');
  const alone = (name: keyof typeof apart): Promise<Bundled> =>
    bundleOne(exported(`${name}:${apart[name]}`), [takeFromBoot(boot)]);
  const [configuration, log] = await Promise.all([alone('configuration'), alone('log')]);
  const rest = await bundleOne(
    later
      .map(
        (id, index) => `const _${index} = () => require('./${fileOf(id)}'); export { _${index} as '${id}' };`,
      )
      .join('\n'),
    [takeFromBoot(boot), sloppy],
  );
  const shared = new Set([configuration, log, rest].flatMap(({ metafile }) => externals(metafile, 'boot:')));
  return {
    boot: await bundleOne([main, ...[...shared].map(exported)].join('\n'), [importFromRest]),
    configuration,
    log,
    rest,
  };
}

const exported = (id: string): string => `export * as '${id}' from './${fileOf(id)}';`;
const fileOf = (id: string): string => id.slice(id.indexOf(':') + 1);

async function bundleOne(contents: string, plugins: Plugin[]): Promise<Bundled> {
  const { metafile, outputFiles } = await build({
    ...common,
    stdin: { contents, resolveDir: repository, sourcefile: 'entry' },
    bundle: true,
    // A function for the loader to call.
    banner: { js: '(function (exports, require, module) {"use strict";' },
    footer: { js: '})' },
    supported: { 'dynamic-import': false },
    metafile: true,
    plugins,
  });
  return { text: outputFiles[0]?.text ?? '', metafile };
}

const common = {
  platform: 'node',
  target: 'node26',
  format: 'cjs',
  // Plain ASCII, for the loader to read byte by byte.
  charset: 'ascii',
  minifySyntax: true,
  minifyWhitespace: true,
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** What a bundle asks the loader for. */
const externals = ({ outputs }: Metafile, kind: string): string[] =>
  [
    ...new Set(
      Object.values(outputs).flatMap(({ imports }) =>
        imports.map(({ path }) => path).filter((path) => path.startsWith(kind)),
      ),
    ),
  ].sort();

/** `import()` of what is not Node's. */
const importFromRest: Plugin = {
  name: 'import-from-rest',
  setup(build) {
    redirect(build, ({ kind }, file) => {
      if (kind !== 'dynamic-import') return undefined;
      return Object.entries(apart).find(([, only]) => only === file)?.[0] ?? 'rest';
    });
  },
};

const takeFromBoot = (boot: ReadonlySet<string>): Plugin => ({
  name: 'take-from-boot',
  setup(build) {
    redirect(build, (_, file) => (boot.has(file) ? 'boot' : undefined));
  },
});

/** Leaves a module out of the bundle, to be asked for by the script that has it and its file name. */
function redirect(
  build: Parameters<Plugin['setup']>[0],
  scriptOf: (args: { kind: string }, file: string) => string | undefined,
): void {
  const resolving = Symbol('ours');
  build.onResolve({ filter: /./ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
    if (pluginData === resolving || kind === 'entry-point') return undefined;
    const resolved = await build.resolve(path, { kind, importer, resolveDir, pluginData: resolving });
    if (resolved.external || resolved.errors.length > 0) return resolved;
    const file = relative(repository, resolved.path);
    const script = scriptOf({ kind }, file);
    return script === undefined ? resolved : { path: `${script}:${file}`, external: true };
  });
}

/** What node-linux needs is older than strict mode (arguments.callee, undeclared variables), in which the bundle is: a function apart. */
const sloppy: Plugin = {
  name: 'sloppy',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/node-linux\/lib\/systemd\.js$/ }, async ({ path }) => {
      const { outputFiles } = await build({ ...common, entryPoints: [path], bundle: true, tsconfigRaw: {} });
      const text = JSON.stringify(outputFiles[0]?.text);
      const names = "'exports', 'require', 'module', '__dirname'";
      return { contents: `new Function(${names}, ${text})(exports, require, module, '/');` };
    });
  },
};
