import { join } from 'node:path';
import { boot } from './container.ts';
import { docker, sweep } from './docker.ts';
import { openEngine } from './engine.ts';
import { derive, image, product, storeImage } from './images.ts';
import { makeNixRoot } from './namespaces.ts';
import { fixtures } from './paths.ts';
import { type Outcome, tail } from './run.ts';
import { bare, makeVolume } from './volume.ts';

/** A place where the same two boots can be shown: one volume, and a binary cache that can go away. */
export interface Ground extends AsyncDisposable {
  name: string;
  publish(): Promise<void>;
  boot(withBinaryCache: boolean): Promise<Outcome>;
}

const demo = join(fixtures, 'demo');
const publish = ['sh', '/fixtures/publish.sh'];
const use = ['sh', '/fixtures/use.sh'];

export async function dockerGround(): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  stack.use(await openEngine());
  stack.defer(sweep);
  const tag = await product('demo', await demoStore());
  const volume = stack.use(await makeVolume());
  const binaryCache = stack.use(await makeVolume());
  const mounted = ['-v', `${binaryCache.name}:/binary-cache`];
  const version = (await docker('version', '--format', '{{.Server.Version}}')).stdout.trim();
  const kept = stack.move();
  return {
    name: `Docker ${version}`,
    publish: async () => check(await bare(tag, publish, ...mounted)),
    boot: (withBinaryCache) =>
      boot({
        image: tag,
        volume: volume.name,
        network: 'none',
        flags: withBinaryCache ? mounted : [],
        command: use,
      }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export async function namespaceGround(): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const root = stack.use(await makeNixRoot(demo));
  const volume = await root.makeDirectory('volume');
  const unused = await root.makeDirectory('unused');
  const binaryCache = await root.makeDirectory('binary-cache');
  const kept = stack.move();
  return {
    name: 'Linux namespaces',
    publish: async () => check(await root.enter(unused, binaryCache, publish)),
    boot: (withBinaryCache) => root.enter(volume, withBinaryCache ? binaryCache : '', ['/init', ...use]),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function demoStore(): Promise<string> {
  const base = await storeImage('trixie');
  return await image('demo-store', base, (tag) => derive(tag, base, demo, ['/bin/true']));
}

function check({ exitCode, stdout, stderr }: Outcome): void {
  if (exitCode !== 0)
    throw new Error(`the binary cache could not be filled:\n${tail(`${stdout}\n${stderr}`)}`);
}
