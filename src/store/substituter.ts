import { isPlainPath, ownDir, ownFiles } from '../binary-cache/places.ts';
import type { Config } from '../config/keys.ts';
import { Exit } from '../errors.ts';
import { volumeLayout } from '../volume/layout.ts';
import type { Facts } from './facts.ts';
import { lockVolume } from './lock-volume.ts';
import type { Step } from './plan.ts';
import type { DaemonStart, Strategy, Unsupported } from './strategy.ts';
import { nothingMounted, storeUnfit, volumeFault, volumeMissing, volumeUnusable } from './unfit.ts';

/**
 * New paths go to a binary cache on the volume, out of which Nix substitutes in later containers. Nothing is mounted: for
 * containers without privileges, and volumes that cannot be an upper layer.
 */
export const substituter: Strategy = { name: 'substituter', unsupported, plan, daemon };

function unsupported(facts: Facts, config: Config): Unsupported | undefined {
  return (
    volumeUnfit(facts, config) ?? nixMissing(facts) ?? storeUnfit(facts, config) ?? denied(facts, config)
  );
}

function volumeUnfit({ volume }: Facts, config: Config): Unsupported | undefined {
  const { cacheDir } = config;
  const missing = volumeMissing(volume, config);
  if (missing !== undefined || volume.kind !== 'directory') return missing;
  if (!volume.mounted) return nothingMounted(cacheDir);
  if (!isPlainPath(cacheDir)) {
    const what = `${cacheDir} has characters that not every Nix takes in a store URI`;
    return {
      ...volumeFault(cacheDir, what, 'EINVAL'),
      remedy: 'set cacheDir to letters, digits and . _ + - /',
    };
  }
  return volumeUnusable(volume, config);
}

function nixMissing({ nix }: Facts): Unsupported | undefined {
  if (nix.nix !== undefined && nix.nixStore !== undefined) return undefined;
  return {
    stage: 'facts',
    what: `${nix.nixStore === undefined ? 'nix-store' : 'nix'} was not found`,
    errno: 'ENOENT',
    remedy: 'install Nix into the image, or put it on PATH',
    exitCode: Exit.config,
  };
}

/** Whether we may write where we have to, as whom we are. */
function denied(facts: Facts, { storeDir, stateDir, cacheDir, access }: Config): Unsupported | undefined {
  const { writable, stateReadOnly, credentials } = facts;
  const [, uid] = credentials.uids;
  const fault = (where: string, remedy: string): Unsupported => ({
    stage: 'facts',
    what: `uid ${uid} cannot write to ${where}`,
    errno: 'EACCES',
    remedy,
    exitCode: Exit.privilege,
  });
  if (!writable.store && stateReadOnly) {
    const what = `${storeDir} and ${stateDir} are read-only`;
    return { ...fault('', 'docker run -v nix:/nix'), what, errno: 'EROFS', exitCode: Exit.config };
  }
  if (!writable.store) return fault(`${storeDir} and ${stateDir}`, 'docker run --user root');
  if (!writable.volume && access === 'read-write')
    return fault(cacheDir, `docker run --user root, or once: chown ${uid} ${cacheDir}`);
  return undefined;
}

function plan(facts: Facts, config: Config): Step[] {
  const { cacheDir, storeDir, stateDir, access } = config;
  const volume = volumeLayout(cacheDir);
  const claim: Step = { do: 'manifest', path: volume.manifest, strategy: 'substituter' };
  const readOnly = access === 'read-only';
  const places = {
    cache: volume.binaryCache,
    key: volume.cacheKey,
    open: volume.cacheOpen,
    record: volume.cacheLinks,
    storeDir,
    stateDir,
    own: ownDir(stateDir),
    nix: facts.nix.nix ?? 'nix',
    nixStore: facts.nix.nixStore ?? 'nix-store',
  };
  const { nixConf, writable, userConfDir } = facts;
  return [
    ...(readOnly ? [] : [...lockVolume(config), claim]),
    { do: 'binary-cache', ...places, readOnly },
    {
      do: 'substituter',
      ...places,
      readOnly,
      confDir: nixConf.dir,
      userConfDir: writable.nixConf ? userConfDir : undefined,
    },
    ...(writable.nixConf || settingsAreTheDaemons(facts, config)
      ? []
      : [{ do: 'environment', variables: nixConfig(facts, config) } as const]),
    { do: 'keep-paths', ...places, readOnly },
  ];
}

/** Where nix.conf cannot be written, the daemon is told by a variable, too. */
function daemon(facts: Facts, config: Config): DaemonStart {
  return facts.writable.nixConf ? {} : { env: nixConfig(facts, config) };
}

/** A client who is not trusted may not say what is set for the daemon, and would be told so with every command. */
const settingsAreTheDaemons = ({ root, daemon: { path } }: Facts, { user }: Config): boolean =>
  root && path !== undefined && user !== undefined;

/** What is set already stays so; an include adds to it. */
function nixConfig({ nixConf }: Facts, { stateDir }: Config): Record<string, string> {
  const own = `!include ${ownFiles(ownDir(stateDir)).settings}`;
  const given = nixConf.variable;
  return { NIX_CONFIG: given ? `${given}\n${own}` : own };
}
