import { existsSync } from 'node:fs';
import type { Config } from '../../config/keys.ts';
import { errnoOf } from '../../errors.ts';
import { findCommand } from '../../linux/commands.ts';
import { parseGroup } from '../../linux/passwd.ts';
import { readIfThere } from '../../linux/read.ts';
import { databaseSchemas } from '../../state/identity.ts';
import { refuseNewer } from '../../state/reconcile/refuse-newer.ts';
import type { Facts } from '../../store/facts.ts';
import { runLayout } from '../../store/run-layout.ts';
import { connectOnce } from '../../supervise/ready/socket.ts';
import { volumeLayout } from '../../volume/layout.ts';
import { readManifest } from '../../volume/manifest.ts';
import type { NixFacts, NixSettings } from '../nix.ts';
import { refusalOf } from './refusal.ts';

const TIMEOUT_MS = 10_000;

/** Looks for Nix, asks it for its settings, and knocks at the daemon's door. */
export async function lookAtNix(facts: Facts, config: Config, env: NodeJS.ProcessEnv): Promise<NixFacts> {
  const command = findCommand('nix', env['PATH']);
  const settings = command === undefined ? undefined : askSettings(command);
  const { state, manifest } = volumeLayout(config.cacheDir);
  const aside = `${runLayout.lowerState}/db`;
  const imageStateDir = existsSync(aside) ? runLayout.lowerState : config.stateDir;
  const known = { manifest: undefined as ReturnType<typeof readManifest> };
  // One that is damaged is a row of its own.
  refusalOf(() => {
    known.manifest = readManifest(manifest);
  });
  return {
    command,
    settings,
    buildUsers: settings ? membersOf(settings.buildUsersGroup) : undefined,
    schemas: { image: databaseSchemas(imageStateDir).schema, volume: databaseSchemas(state).schema },
    newer: refusalOf(() => refuseNewer({ imageStateDir, stateDir: state }, known.manifest)),
    socket: await answerOf(facts.daemon.socket),
  };
}

function membersOf(group: string): number | undefined {
  return parseGroup(readIfThere('/etc/group') ?? '').find(({ name }) => name === group)?.members.length;
}

/** Nix reads its files as it does, with what they include; before 2.20 it has another word for it. */
function askSettings(nix: string): NixSettings | null {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  for (const words of [['config', 'show'], ['show-config']]) {
    const args = ['--extra-experimental-features', 'nix-command', ...words, '--json'];
    const { status, stdout } = spawnSync(nix, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: TIMEOUT_MS,
    });
    if (status === 0) return readSettings(JSON.parse(stdout));
  }
  return null;
}

function readSettings(told: Record<string, { value?: unknown } | undefined>): NixSettings {
  const value = (name: string): string => String(told[name]?.value ?? '');
  return {
    sandbox: value('sandbox'),
    sandboxFallback: value('sandbox-fallback') === 'true',
    buildUsersGroup: value('build-users-group'),
  };
}

async function answerOf(socket: string): Promise<string | null | undefined> {
  const refusal = await connectOnce(socket);
  if (refusal === undefined) return null;
  const errno = errnoOf(refusal);
  return errno === 'ENOENT' ? undefined : errno;
}
