import { dirname } from 'node:path';
import type { Config } from '../config/keys.ts';
import { parseLowerStore } from '../config/lower-store.ts';
import { Exit } from '../errors.ts';
import type { NoDaemon } from '../nix/hello.ts';
import { isBefore } from '../state/nix-version.ts';
import type { Facts } from './facts.ts';
import { canMakeLinks, localOverlayUri, lowerDirectory } from './local-overlay-uri.ts';
import { layersUnfit, overlaySteps } from './overlay.ts';
import { overlaySettings } from './overlay-parts.ts';
import type { Step } from './plan.ts';
import { runLayout } from './run-layout.ts';
import type { DaemonStart, Strategy, Unsupported } from './strategy.ts';
import { fault } from './unfit.ts';
import { unreachable } from './unreachable.ts';

/**
 * The layers and the database of `overlay`, through Nix's own `local-overlay` store: what the database lacks, the daemon asks
 * the store below for, and what it deletes, it deletes in `upper/` alone (docs/decisions/0014).
 */
export const localOverlay: Strategy = { name: 'local-overlay', unsupported, plan, daemon };

/** The first Nix that has such a store. */
const SINCE = [2, 22] as const;

function unsupported(facts: Facts, config: Config): Unsupported | undefined {
  return (
    layersUnfit(facts, config, plan) ??
    daemonMissing(facts, config) ??
    nixUnfit(facts, config) ??
    (config.lowerStore === undefined ? imageUnfit(facts, config) : lowerUnfit(facts, config))
  );
}

/** Only the daemon opens the store; everybody else asks the daemon. */
function daemonMissing({ daemon, root }: Facts, config: Config): Unsupported | undefined {
  if (config['daemon.enabled'] === false)
    return fault('local-overlay works through nix-daemon', 'EINVAL', 'set daemon.enabled=auto');
  if (daemon.path === undefined) {
    const remedy = 'install Nix into the image, or set daemon.command';
    return fault(`${config['daemon.command']} was not found`, 'ENOENT', remedy);
  }
  if (root) return undefined;
  const remedy = 'docker run --user root; the command may be another: user=NAME';
  return { ...fault('local-overlay needs a nix-daemon of root', 'EPERM', remedy), exitCode: Exit.privilege };
}

function nixUnfit({ nixVersion, daemon }: Facts, { lowerStore }: Config): Unsupported | undefined {
  if (!isBefore(nixVersion, SINCE)) return undefined;
  const what =
    nixVersion === null
      ? `${daemon.path} does not tell the version of Nix`
      : `Nix ${nixVersion} has no local-overlay store`;
  const needed = `use an image with Nix ${SINCE.join('.')} or newer`;
  return fault(what, 'ENOTSUP', lowerStore === undefined ? `${needed}, or strategy=overlay` : needed);
}

/** Nix does not write to the lower store, and reads of its database only what the write-ahead log need not be asked for. */
function imageUnfit({ imageDatabase }: Facts, { stateDir }: Config): Unsupported | undefined {
  if (imageDatabase === 'whole') return undefined;
  const what =
    imageDatabase === 'missing'
      ? `the image has no Nix database in ${stateDir}`
      : `part of the image's Nix database in ${stateDir} is in its write-ahead log alone`;
  return fault(what, 'EINVAL', "add to the image's Dockerfile: RUN nix-store --init");
}

function lowerUnfit({ lowerStore, daemon }: Facts, config: Config): Unsupported | undefined {
  const lower = parseLowerStore(config.lowerStore ?? '');
  if (lower === undefined || lowerStore === undefined) return undefined;
  const { socket, directory } = lower;
  if (config.access === 'read-only')
    return fault('lowerStore works with access=read-write only', 'EINVAL', 'unset lowerStore, or access');
  if (config.lowers.length > 0)
    return fault('lowerStore does not work together with lowers', 'EINVAL', 'unset lowerStore, or lowers');
  if (socket === daemon.socket)
    return fault(`lowerStore names the socket of our own nix-daemon, ${socket}`, 'ELOOP', 'name the other');
  if (!lowerStore.directory)
    return fault(
      `${directory}, of lowerStore, does not exist`,
      'ENOENT',
      `docker run -v STORE:${directory}:ro`,
    );
  return lowerStore.daemon.kind === 'daemon' ? undefined : lowerAway(lowerStore.daemon, socket);
}

function lowerAway(daemon: NoDaemon, socket: string): Unsupported {
  const mount = `docker run -v DIRECTORY:${dirname(socket)}`;
  return unreachable(
    daemon,
    { whose: "the lower store's daemon", socket },
    {
      mount: `mount the directory of its socket: ${mount}`,
      start: `start the daemon of the lower store, and mount the directory of its socket: ${mount}`,
      restart: 'restart the daemon of the lower store',
      open: `let this user reach the socket: chmod 0666 ${socket}`,
      allow: 'add this user to allowed-users in the nix.conf of the lower store, and restart its daemon',
      update: 'update Nix, or snix, where the lower store is',
      replace: `name the socket of a nix-daemon in lowerStore, or mount it: ${mount}`,
    },
  );
}

function plan(facts: Facts, config: Config): Step[] {
  return [
    ...overlaySteps(facts, config, {
      strategy: 'local-overlay',
      // For the shells of `docker exec`, which inherit nothing; the daemon's own flag comes after it.
      settings: { ...overlaySettings, store: 'daemon' },
      before: config.lowerStore === undefined ? linksDirectory(facts, config) : [],
      below: lowerDirectory(config),
    }),
    ...(config.lowerStore === undefined ? lowerState : []),
    { do: 'environment', variables: { NIX_REMOTE: 'daemon' } },
  ];
}

function linksDirectory(facts: Facts, { storeDir }: Config): Step[] {
  if (facts.storeLinks || !canMakeLinks(facts)) return [];
  return [{ do: 'mkdir', path: `${storeDir}/.links`, mode: 0o755 }];
}

/** Nix makes the directories of a state that it only reads, too, and the image's own cannot be written. */
const lowerState: Step[] = [
  ...['profiles/per-user', 'gcroots/per-user', 'temproots', 'db'].map(
    (name): Step => ({ do: 'mkdir', path: `${runLayout.lowerNix}/${name}`, mode: 0o755 }),
  ),
  { do: 'bind', source: `${runLayout.lowerState}/db`, target: `${runLayout.lowerNix}/db`, readOnly: true },
];

/**
 * The store as a flag, which beats `store` in the nix.conf that the daemon reads, too. The features are experimental, and the
 * daemon's alone; not as a flag: its build hook is a process that opens the same store and is not told of them.
 */
function daemon(facts: Facts, config: Config): DaemonStart {
  return {
    args: ['--store', localOverlayUri(facts, config)],
    nixConfig: ['extra-experimental-features = local-overlay-store read-only-local-store'],
  };
}
