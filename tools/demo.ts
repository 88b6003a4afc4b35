// `npm run demo [-- --namespaces]`: the main job, for real, on this machine.
import { parseArgs } from 'node:util';
import { dockerGround, type Ground, namespaceGround } from '../test/harness/demoGround.ts';
import { ensureDist } from '../test/harness/dist.ts';
import { EngineUnavailable } from '../test/harness/dockerd.ts';
import { repository } from '../test/harness/paths.ts';
import { type Outcome, tail } from '../test/harness/run.ts';

interface Session {
  milliseconds: number;
  fetched: number;
  built: number;
  path: string;
  said: string;
  kilobytes: number;
  version: string;
}

const { values } = parseArgs({ options: { namespaces: { type: 'boolean', default: false } } });
process.chdir(repository);
// Interrupted, we still clean up: the programs that we run get the Ctrl-C themselves, and their end is ours.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => {});

try {
  await ensureDist();
  await using ground = await chooseGround();
  await show(ground);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function chooseGround(): Promise<Ground> {
  if (values.namespaces) return await namespaceGround();
  try {
    return await dockerGround();
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    console.log(`${error.message}\nNo Docker here: showing the same in Linux namespaces.`);
    return await namespaceGround();
  }
}

async function show(ground: Ground): Promise<void> {
  console.log('Filling a local binary cache');
  await ground.publish();
  const first = read(await ground.boot(true));
  console.log(`
${ground.name}, ${first.version}, one volume at /nix-cache, two containers.

1. The first container: \`nix build\` asks the binary cache.
   ${describe(first)}
   ${first.said}
   On the volume, in /nix-cache/upper: ${(first.kilobytes / 1024).toFixed(1)} MB

2. Another container, the same volume; the binary cache is gone.`);
  const second = read(await ground.boot(false));
  console.log(`   ${describe(second)}
   ${second.said}
`);
  if (first.fetched === 0 || second.fetched + second.built > 0 || first.path !== second.path) {
    throw new Error(
      'This is not what should have happened: the second container should find what the first fetched.',
    );
  }
  console.log(`It was there at once: ${second.path}`);
}

function describe({ fetched, built, milliseconds }: Session): string {
  return `${fetched} paths fetched, ${built} built, in ${milliseconds} ms`;
}

function read({ exitCode, stdout, stderr }: Outcome): Session {
  if (exitCode !== 0) throw new Error(`the container failed (exit ${exitCode}):\n${tail(stderr)}`);
  const fields = new Map(stdout.split('\n').map((line) => splitOnce(line)));
  const text = (name: string): string => fields.get(name) ?? '';
  return {
    milliseconds: Number(text('milliseconds')),
    fetched: Number(text('fetched')),
    built: Number(text('built')),
    path: text('path'),
    said: text('said'),
    kilobytes: Number(text('kilobytes')),
    version: text('version'),
  };
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}
