import { dirname } from 'node:path';
import type { Config } from '../config/keys.ts';
import type { NoDaemon } from '../nix/hello.ts';
import type { Facts } from './facts.ts';
import { claimMounts, nixConf, runDirectory, unmountLeftovers } from './overlay-parts.ts';
import type { Step } from './plan.ts';
import type { Strategy, Unsupported } from './strategy.ts';
import { fault } from './unfit.ts';
import { unreachable } from './unreachable.ts';

/** The host's store, and its daemon to add to it. Nothing here is ours: no volume, no daemon, no garbage collection. */
export const host: Strategy = { name: 'host', unsupported, plan, daemon: () => 'none' };

/** How a container comes to have both. */
const flags = ({ storeDir }: Config, socket: string): string =>
  `docker run -v /nix/store:${storeDir}:ro -v /nix/var/nix/daemon-socket:${dirname(socket)}`;

function unsupported(facts: Facts, config: Config): Unsupported | undefined {
  const { storeDir } = config;
  const { socket } = facts.daemon;
  const { mounted, daemon, asked } = facts.host;
  const misfit = (what: string, errno: string, remedy = flags(config, socket)): Unsupported =>
    fault(what, errno, remedy);
  if (!facts.storeDir) return misfit(`${storeDir} does not exist`, 'ENOENT');
  if (mounted === 'no') return misfit(`${storeDir} is the image's own: nothing is mounted there`, 'EINVAL');
  if (mounted === 'writable') {
    return misfit(`the host's store is mounted writable at ${storeDir}`, 'EINVAL');
  }
  if (daemon.kind === 'no daemon') return daemonAway(daemon, facts, config);
  if (asked > 0 && daemon.valid.length === 0) {
    return misfit(
      `the daemon behind ${socket} knows none of ${asked} paths in ${storeDir}: they are of two machines`,
      'EXDEV',
      `mount both from one: ${flags(config, socket)}`,
    );
  }
  return undefined;
}

function daemonAway(daemon: NoDaemon, facts: Facts, config: Config): Unsupported {
  const { socket } = facts.daemon;
  const mount = flags(config, socket);
  return unreachable(
    daemon,
    { whose: "the host's nix-daemon", socket },
    {
      mount,
      start: `on the host: systemctl start nix-daemon.socket; and ${mount}`,
      restart: 'on the host: systemctl restart nix-daemon',
      open: 'let this user reach the socket: chmod on the host',
      allow: "add this user to allowed-users in the host's nix.conf, and systemctl restart nix-daemon",
      update: 'update Nix on the host',
      replace: `mount the socket of a nix-daemon: ${mount}`,
    },
  );
}

function plan(facts: Facts, config: Config): Step[] {
  return [
    ...(facts.sysAdmin ? unmountLeftovers(facts) : []),
    ...warnings(facts, config).map((text): Step => ({ do: 'warn', text })),
    { do: 'environment', variables: { NIX_REMOTE: 'daemon' } },
    ...forShells(facts),
  ];
}

function warnings(facts: Facts, { storeDir }: Config): string[] {
  const { daemon, socketAlone, lost } = facts.host;
  if (daemon.kind === 'no daemon') return [];
  const price = `strategy host: whoever runs here can read the host's store and add to it through its nix-daemon`;
  const trusted = daemon.trusted
    ? ', which trusts this user: that is as good as being root on the host'
    : daemon.trusted === null
      ? ', which does not say whether it trusts this user: then that is as good as being root on the host'
      : '';
  const { socket } = facts.daemon;
  return [
    price + trusted,
    ...(socketAlone
      ? [`${socket} is mounted by itself: when the host's daemon makes it anew, mount its directory instead`]
      : []),
    ...(lost.length > 0
      ? [`the host's store at ${storeDir} hides the image's own: lost are ${lost.join(', ')}`]
      : []),
  ];
}

const orSay =
  "the shells of docker exec do not know of the host's daemon when root runs them: docker run -e NIX_REMOTE=daemon";

/**
 * Shells of `docker exec` inherit nothing from init, and root's would take a state directory that they can write for a store of
 * their own (openFromNonUri in src/libstore/store-api.cc). They know it from nix.conf, where that can be mounted.
 */
function forShells(facts: Facts): Step[] {
  if (facts.host.remote === 'daemon') return [];
  if (!facts.sysAdmin) return facts.root ? [{ do: 'warn', text: orSay }] : [];
  const conf = nixConf(facts, { store: 'daemon' }).map((step) =>
    step.do === 'nix-conf' ? { ...step, orWarn: orSay } : step,
  );
  return [...runDirectory(facts, []), claimMounts, ...conf];
}
