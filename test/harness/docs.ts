import { globSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Container, startIdle } from './container.ts';
import { distFingerprint } from './dist.ts';
import { dockerOk, label, runId } from './docker.ts';
import { image, storeImage } from './images.ts';
import { type Block, fencedBlocks } from './markdown.ts';
import { fixtures, repository } from './paths.ts';
import { type Outcome, run } from './run.ts';
import { makeVolume } from './volume.ts';

export type Example = Block & {
  /** `docs/x.md:12` */
  place: string;
  /** Why it is not run. */
  notRun: string | undefined;
};

/** Every block of the pages for users and builders. */
export function readExamples(): Example[] {
  const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: repository }).sort()];
  return pages.flatMap((page) =>
    fencedBlocks(readFileSync(join(repository, page), 'utf8')).map((block) => ({
      ...block,
      place: `${page}:${block.line}`,
      notRun: /^not run: (.+)$/.exec(block.comment ?? '')?.[1],
    })),
  );
}

/** The image that somebody makes by a Dockerfile of the docs, on a Nix that is here. */
export async function buildImage(dockerfile: string): Promise<string> {
  const base = await storeImage('trixie');
  const text = dockerfile.replace(/^FROM .*$/m, `FROM ${base}`);
  return await image('docs', `${text} ${await distFingerprint()}`, async (tag) => {
    const flags = ['--label', `${label}=image`, '--network', 'none', '-t', tag, '-f', '-', repository];
    const { exitCode, stderr } = await run('docker', ['build', ...flags], {
      env: { DOCKER_BUILDKIT: '0' },
      input: text,
    });
    if (exitCode !== 0) throw new Error(stderr);
  });
}

/** Runs a block as somebody would who copies it, beside a running container where it speaks of one. */
export async function runExample({ text }: Block, image: string): Promise<Outcome> {
  const home = await mkdtemp(join(tmpdir(), 'nix-cache-init-docs-'));
  try {
    await cp(join(fixtures, 'docs/project'), home, { recursive: true });
    await cp(join(fixtures, 'alca'), home, { recursive: true });
    await chmod(home, 0o777);
    await using volume = await makeVolume();
    await using ground = new AsyncDisposableStack();
    const container = text.includes('docker exec') ? await startBeside(ground, image, home) : undefined;
    const env = {
      PATH: `${join(fixtures, 'docs')}:${process.env['PATH']}`,
      EXAMPLE_DOCKER: (await run('sh', ['-c', 'command -v docker'])).stdout,
      EXAMPLE_IMAGE: image,
      EXAMPLE_VOLUME: volume.name,
      EXAMPLE_CONTAINER: container?.name ?? '',
      EXAMPLE_PROJECT: home,
      EXAMPLE_LABEL: `${label}=${runId}`,
    };
    const outcome = await run('bash', ['-euo', 'pipefail', '-c', text], { env, cwd: home, input: '' });
    await removeContainers(volume.name);
    return outcome;
  } finally {
    await rm(home, { recursive: true });
  }
}

/** On a volume of its own: who copies the block has one running already. */
async function startBeside(ground: AsyncDisposableStack, image: string, project: string): Promise<Container> {
  const volume = ground.use(await makeVolume());
  const flags = ['-v', `${project}:/project`, '-w', '/project'];
  return ground.use(await startIdle({ image, volume: volume.name, flags }));
}

/** Those that a block without --rm has left would keep the volume. */
async function removeContainers(volume: string): Promise<void> {
  const list = await dockerOk('ps', '-aq', '--filter', `volume=${volume}`);
  const ids = list.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await dockerOk('rm', '-f', '-v', ...ids);
}
