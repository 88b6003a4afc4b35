// `npm run build`: dist/rootfs/, everything an image needs and nothing else (docs/decisions/0002).
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bashCompletion } from '../src/commands/completions/bash.ts';
import { fishCompletion } from '../src/commands/completions/fish.ts';
import { zshCompletion } from '../src/commands/completions/zsh.ts';
import { buildCommands, installCommands } from '../test/harness/packages.ts';
import { repository } from '../test/harness/paths.ts';
import { bundle } from './bundle.ts';
import { manPage } from './man-page.ts';

/** Where it all lives in an image; the interpreter and run path of the program name it. */
const home = '/opt/nix-cache-init';
const work = join(repository, 'dist/build');
const staged = join(work, 'rootfs');

process.chdir(repository);
await installCommands(buildCommands);
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
compileNative();
layOut(makeExecutable(await bundleSource()));
rmSync('dist/rootfs', { recursive: true, force: true });
renameSync(staged, 'dist/rootfs');
console.log('dist/rootfs is ready');

/** The scripts and their code caches: assets of the executable. */
async function bundleSource(): Promise<Record<string, string>> {
  const bundles = await bundle();
  const assets: Record<string, string> = {};
  for (const [name, { text }] of Object.entries(bundles)) {
    assets[name] = join(work, `${name}.cjs`);
    writeFileSync(assets[name], text);
  }
  const metafiles = Object.entries(bundles).map(([name, { metafile }]) => [name, metafile]);
  const warmed = takeCodeCaches();
  // What is in them and what they still ask of Node: a test holds it against the rules.
  writeFileSync(
    join(work, 'bundle.json'),
    JSON.stringify({ ...Object.fromEntries(metafiles), warmed }, null, 1),
  );
  for (const name of Object.keys(bundles)) assets[`${name}.cache`] = join(work, `${name}.cache`);
  return assets;
}

/**
 * A boot that mounts warms more than one that does not; but not every builder may make namespaces.
 * @returns how far the functions of a boot are in the caches: `overlay`, or why they are not.
 */
function takeCodeCaches(): string {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', 'tools/code-cache.ts', work];
  const ground = join(work, 'ground');
  const asRoot = process.geteuid?.() === 0 ? [] : ['--map-root-user'];
  const apart = ['unshare', ...asRoot, '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const native = `LD_PRELOAD=${join(staged, home, 'lib/native.so')}`;
  const run = ([file = '', ...args]: readonly string[]): void => {
    execFileSync(file, args, {
      // What it complains of is part of the error then.
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
  };
  try {
    mkdirSync(ground);
    run([...apart, 'sh', 'tools/warm-ground.sh', ground, 'env', native, ...node, ground]);
    return 'overlay';
  } catch (error) {
    const why = `no overlay can be mounted here: a boot will compile what it takes for that (${String(error)})`;
    console.error(why);
    run(node);
    return why;
  }
}

/**
 * Node with the bundle and its code cache inside (a single executable application): starts faster than node and a
 * file, and ignores NODE_OPTIONS, which belong to the user's own programs.
 */
function makeExecutable(assets: Readonly<Record<string, string>>): string {
  const node = join(work, 'node');
  const executable = join(work, 'nix-cache-init');
  const config = join(work, 'sea.json');
  execFileSync('strip', ['-o', node, process.execPath]);
  writeFileSync(
    config,
    JSON.stringify({
      main: join(repository, 'src/loader.cjs'),
      assets,
      executable: node,
      output: executable,
      disableExperimentalSEAWarning: true,
      // SIGUSR1 is the main command's, not a debugger's; V8 wants four threads for what init does not do.
      execArgv: ['--disable-sigusr1', '--min-semi-space-size=8', '--v8-pool-size=1'],
      execArgvExtension: 'none',
    }),
  );
  execFileSync(process.execPath, ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  return executable;
}

function layOut(executable: string): void {
  const lib = join(staged, home, 'lib');
  const bin = join(staged, home, 'bin/nix-cache-init');
  cpSync('rootfs', staged, { recursive: true, verbatimSymlinks: true });
  // A mount point for read-only root file systems.
  mkdirSync(join(staged, 'run/nix-cache-init'), { recursive: true });

  const { loader, libraries } = dependencies(process.execPath);
  for (const library of [loader, ...libraries]) {
    const target = join(lib, basename(library));
    copyFileSync(realpathSync(library), target);
    chmodSync(target, 0o755);
  }
  copyFileSync(executable, bin);
  chmodSync(bin, 0o755);
  // Only after the injection: that would damage strings which patchelf has moved. An RPATH, not a RUNPATH: the user's
  // LD_LIBRARY_PATH must not come before it.
  const interpreter = join(home, 'lib', basename(loader));
  patchelf('--set-interpreter', interpreter, '--force-rpath', '--set-rpath', `${home}/lib`, bin);
  // It becomes the first, ahead of what it stands in for. By itself: patchelf 0.14 cannot do both in one go.
  patchelf('--add-needed', `${home}/lib/native.so`, bin);
  writeShare(join(staged, home, 'share'));
  copyFileSync('LICENSE', join(staged, home, 'LICENSE'));
  const license = join(repository, 'node_modules', `node-linux-${process.arch}`, 'LICENSE');
  if (existsSync(license)) copyFileSync(license, join(staged, home, 'LICENSE.node'));
}

/** Under the names by which each reader finds its own, given a prefix. */
function writeShare(share: string): void {
  const files = {
    'man/man1/nix-cache-init.1': manPage(),
    'bash-completion/completions/nix-cache-init': bashCompletion(),
    'zsh/site-functions/_nix-cache-init': zshCompletion(),
    'fish/vendor_completions.d/nix-cache-init.fish': fishCompletion(),
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(share, name)), { recursive: true });
    writeFileSync(join(share, name), text);
  }
}

function patchelf(...args: string[]): string {
  return execFileSync('patchelf', args, { encoding: 'utf8' });
}

/** What cannot be done from JavaScript (docs/decisions/0005, 0006): no start files, no libc to find at build time. */
function compileNative(): void {
  const flags = [
    ...['-O2', '-s', '-Wall', '-Wextra', '-Werror', '-nostdlib', '-ffreestanding', '-fno-stack-protector'],
    ...['-fno-asynchronous-unwind-tables', '-Wl,--build-id=none', '-Wl,-z,noseparate-code'],
  ];
  for (const directory of ['bin', 'lib']) mkdirSync(join(staged, home, directory), { recursive: true });
  const compile = (target: string, ...rest: string[]): Buffer =>
    execFileSync('gcc', [...flags, '-o', join(staged, home, target), ...rest]);
  compile('bin/init', '-static', '-no-pie', '-fno-pic', 'src/native/init.c');
  const library = ['before-node', 'call', 'limited-spawn'].map((name) => `src/native/${name}.c`);
  compile('lib/native.so', '-shared', '-fPIC', ...library);
}

/** The loader and the libraries of a program, as ldd(1) finds them. */
function dependencies(program: string): { loader: string; libraries: string[] } {
  const lines = execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n');
  // One that is elsewhere than the program says is shown as a library is.
  const loader = lines.flatMap((line) => /^\s*(?:\/\S+ => )?(\/\S*ld-linux\S*) \(/.exec(line)?.[1] ?? [])[0];
  if (loader === undefined) throw new Error(`ldd names no loader for ${program}`);
  const libraries = lines.flatMap((line) => / => (\/\S+)/.exec(line)?.[1] ?? []);
  return { loader, libraries: libraries.filter((library) => library !== loader) };
}
