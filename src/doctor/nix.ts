import type { Config } from '../config/keys.ts';
import type { InitError } from '../errors.ts';
import type { Facts } from '../store/facts.ts';
import { type Finding, fault, fine, isContainerName, newVolume, obstacle } from './check.ts';

/** What Nix makes of its nix.conf, where it can be asked. */
export type NixSettings = { sandbox: string; sandboxFallback: boolean; buildUsersGroup: string };

/** What is known of Nix beyond the facts of a boot. */
export type NixFacts = {
  /** Where the command is that clients use. */
  command: string | undefined;
  /** Undefined without that command; null where it does not say. */
  settings: NixSettings | null | undefined;
  /** How many members the group of the build users has; undefined: there is no such group. */
  buildUsers: number | undefined;
  /** The schema of the image's database and of the volume's; null: there is none. */
  schemas: { image: number | null; volume: number | null };
  /** Why this image's Nix would not open the volume's database. */
  newer: InitError | null;
  /** How the daemon's socket answers: null: a connection was accepted; undefined: there is none. */
  socket: string | null | undefined;
};

/**
 * Whether there is a Nix, and whether it will find what it needs.
 * @param running the host name of the container whose init runs here, if one does.
 */
export function nixChecks(
  facts: Facts,
  config: Config,
  nix: NixFacts,
  running: string | undefined,
): Finding[] {
  return [
    storeCheck(facts, config),
    commandCheck(facts, nix),
    schemaCheck(nix, config),
    ...settingsChecks(facts, nix),
    ...socketChecks(facts, nix, running),
  ];
}

function storeCheck({ storeDir: there }: Facts, { storeDir }: Config): Finding {
  const needed = 'a directory';
  if (there) return fine('store', storeDir, needed);
  return fault('store', `${storeDir} does not exist`, needed, `mkdir -p ${storeDir}`);
}

function commandCheck(facts: Facts, { command }: NixFacts): Finding {
  const { path } = facts.daemon;
  const needed = 'nix-daemon, or nix';
  const [first] = [path, command].filter((found) => found !== undefined);
  if (first === undefined)
    return fault('nix', 'not found', needed, 'docker build --build-arg BASE=nixos/nix .');
  const version = facts.nixVersion ?? 'of unknown version';
  return fine('nix', `${first} ${version}`, needed);
}

function schemaCheck({ schemas: { image, volume }, newer }: NixFacts, { cacheDir }: Config): Finding {
  const found = `image ${image ?? '-'}, volume ${volume ?? '-'}`;
  const needed = "the volume's no newer";
  if (newer === null) return fine('schema', found, needed);
  const { stage, what, errno, exitCode } = newer;
  return obstacle(fault('schema', found, needed, newVolume(cacheDir)), ['reconcile', 'snapshot'], {
    stage,
    what,
    errno,
    exitCode,
  });
}

const configShow = 'nix --extra-experimental-features nix-command config show';

function settingsChecks(facts: Facts, { command, settings, buildUsers }: NixFacts): Finding[] {
  if (settings === undefined) return [];
  // What is wrong with its files, Nix says itself.
  if (settings === null) return [fault('nix settings', `${command} does not say`, 'can be read', configShow)];
  return [...buildUsersChecks(facts, settings, buildUsers), sandboxCheck(facts, settings)];
}

/** Only root's Nix has build users. */
function buildUsersChecks(
  { root }: Facts,
  { buildUsersGroup: group }: NixSettings,
  buildUsers: number | undefined,
): Finding[] {
  if (!root) return [];
  const needed = 'members, or no such setting';
  if (group === '') return [fine('build users', 'none: builds run as root', needed)];
  const found = buildUsers === undefined ? `there is no group ${group}` : `${group}: ${buildUsers}`;
  if (buildUsers !== undefined && buildUsers > 0) return [fine('build users', found, needed)];
  return [fault('build users', found, needed, "docker run -e NIX_CONFIG='build-users-group ='")];
}

/** Nix's sandbox takes mounts and namespaces of its own. */
function sandboxCheck(
  { sysAdmin, userNamespace }: Facts,
  { sandbox, sandboxFallback }: NixSettings,
): Finding {
  const found = `${sandbox}${sandbox !== 'false' && sandboxFallback ? ', or without' : ''}`;
  const needed = 'SYS_ADMIN, or sandbox-fallback';
  if (sandbox === 'false' || sandboxFallback || sysAdmin || userNamespace)
    return fine('sandbox', found, needed);
  return fault('sandbox', found, needed, "docker run -e NIX_CONFIG='sandbox = false'");
}

function socketChecks(
  { daemon: { path, socket: place } }: Facts,
  nix: NixFacts,
  host: string | undefined,
): Finding[] {
  const { socket } = nix;
  const needed = host !== undefined ? 'accepts connections' : 'made at a boot';
  if (socket === null) return [fine('daemon socket', `${place} accepts connections`, needed)];
  const found = socket === undefined ? 'none' : `${place}: ${socket}`;
  if (host === undefined || path === undefined) return [fine('daemon socket', found, needed)];
  const remedy = isContainerName(host) ? `docker restart ${host}` : 'nix-cache-init stop';
  return [fault('daemon socket', found, needed, remedy)];
}
