import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { docker, dockerOk, label, runId, uniqueName } from './docker.ts';
import { nixImage } from './images.ts';
import { fencedBlocks } from './markdown.ts';
import { fixtures, repository } from './paths.ts';
import type { Outcome } from './run.ts';

type AlcaConfig = {
  workdir: string;
  mounts: string[];
  caps?: string[];
  commands: { up: string; enter: string };
  envs: Record<string, string>;
};

/** The `.alca.toml` of docs/alca.md. */
export function documentedConfig(): AlcaConfig {
  const [block] = fencedBlocks(readFileSync(join(repository, 'docs/alca.md'), 'utf8'), 'toml');
  return parse(block?.text ?? '') as AlcaConfig;
}

/** What alca adds to nothing (its AGD-026). */
const defaultCaps = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'KILL', 'SETUID', 'SETGID'];

export interface Alca extends AsyncDisposable {
  /** `alca up` where there is no container: makes one, and has it run the up command at once. */
  up(): Promise<Outcome>;
  /** `alca run`. */
  run(...words: string[]): Promise<Outcome>;
  /** `alca up` where the container is stopped: starts it, and no more. */
  start(): Promise<void>;
  stop(): Promise<void>;
  down(): Promise<void>;
  logs(): Promise<Outcome>;
}

/**
 * The command lines that alca makes of a configuration (internal/runtime/docker_cli_compatible_runtime.go), but for the
 * network, of which there is none here.
 */
export async function makeAlca(config: AlcaConfig): Promise<Alca> {
  const [name, home] = [uniqueName('alca'), await mkdtemp(join(tmpdir(), 'nix-cache-init-alca-'))];
  const project = join(home, 'project');
  await cp(join(fixtures, 'alca'), project, { recursive: true });
  const image = await nixImage();
  const { workdir, mounts, caps = [], commands, envs } = config;
  const expanded = mounts.map((mount) => mount.replaceAll(`\${HOME}`, home));
  const create = [
    ...['run', '-d', '--name', name, '--restart=unless-stopped', '-w', workdir],
    ...['--label', `${label}=${runId}`, '--network', 'none'],
    ...[`${project}:${workdir}`, ...expanded].flatMap((mount) => ['-v', mount]),
    ...Object.entries(envs).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
    ...['--cap-drop', 'ALL', ...[...defaultCaps, ...caps].flatMap((cap) => ['--cap-add', cap])],
    ...[image, 'sleep', 'infinity'],
  ];
  const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
  return {
    async up() {
      await dockerOk(...create);
      return docker('exec', name, 'sh', '-c', commands.up);
    },
    run: (...words) =>
      docker(
        ...['exec', '-i', '-w', workdir, name, 'sh', '-c'],
        [commands.enter, ...words.map(quoted)].join(' '),
      ),
    start: async () => void (await dockerOk('start', name)),
    stop: async () => void (await dockerOk('stop', name)),
    async down() {
      await dockerOk('stop', name);
      await dockerOk('rm', '-f', name);
    },
    logs: () => docker('logs', name),
    async [Symbol.asyncDispose]() {
      await docker('rm', '-f', '-v', name);
      await rm(home, { recursive: true });
    },
  };
}
