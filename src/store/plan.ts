import type { KeepRequest } from '../binary-cache/keep.ts';
import type { PrepareRequest } from '../binary-cache/prepare.ts';
import type { SettingsRequest } from '../binary-cache/settings.ts';
import type { Config } from '../config/keys.ts';
import type { PushRequest } from '../push/pusher.ts';
import type { ReconcileRequest } from '../state/reconcile/reconcile.ts';
import type { SnapshotRequest } from '../state/snapshot/snapshot.ts';
import type { LockedThing } from '../volume/lock.ts';
import type { StateClaim } from '../volume/prefix-state.ts';
import type { DaemonStart } from './strategy.ts';

/** Where our lines of nix.conf go: into a file that is mounted over the image's, or over its directory; or into the file itself. */
export type NixConfPlace =
  | {
      over: 'file' | 'directory';
      create: boolean;
      generated: string;
      /** Said where mounting is denied, and the boot goes on; without it, that ends the strategy. */
      orWarn?: string;
    }
  | { over: 'in place' };

/** One thing that `apply` does. Plain data: printed by `nix-cache-init plan`, executed as it stands. */
export type Step =
  /** Creates a directory and its parents; one that is there stays as it is. */
  | { do: 'mkdir'; path: string; mode: number; like?: string }
  /** With `orRead` the boot goes on with a plan that only reads, where somebody has it; `stays`: see LockRequest. */
  | { do: 'lock'; of: LockedThing; path: string; waitMs: number; orRead: boolean; stays?: true }
  /** Takes down, newest first, what a boot that was killed left mounted: one whose lock `claim` nobody has. */
  | { do: 'unmount'; targets: string[]; claim: string }
  | { do: 'tmpfs'; target: string; options: string }
  /** With `apart`, nothing that is mounted at the one later shows up at the other: where mounts are shared. */
  | { do: 'bind'; source: string; target: string; readOnly: boolean; apart?: true }
  /** Refuses a volume that this version or this strategy does not understand. */
  | { do: 'verify'; manifest: string; xattrs: 'trusted' | 'user' }
  /** Refuses a volume that has never been an upper layer and cannot be one. */
  | { do: 'try-xattrs'; path: string; xattrs: 'trusted' | 'user'; manifest: string }
  | { do: 'seed'; from: string; to: string; staging: string; trash: string; manifest: string }
  /** Brings the volume in step with a changed image. */
  | ({ do: 'reconcile'; nix: string | undefined } & Omit<ReconcileRequest, 'nixVersion' | 'breathe'>)
  /** Gives a container that only reads the volume a state of its own. */
  | ({ do: 'snapshot'; mask: string; standIns: string } & Omit<SnapshotRequest, 'breathe' | 'onLoss'>)
  /** Hides in directories what another one has of their names, by whiteouts in `target`, which goes between. */
  | { do: 'mask'; of: string; below: string[]; target: string }
  | { do: 'overlay'; target: string; lower: string[]; upper: string; work: string; options: string[] }
  /** Mounts directories of the volume, read-only, over those in `target` that have a stand-in in `names`. */
  | { do: 'bind-each'; names: string; source: string; target: string }
  /** Removes what belongs to one boot; `idle`: unless somebody has it locked. */
  | { do: 'clear'; paths: string[]; idle?: string[] }
  /** Keeps what roots in project directories lead to, also while those are not mounted; notes them when the container ends. */
  | { do: 'roots'; state: string; stateDir: string; storeDir: string; record: string }
  /** Generates nix.conf and mounts it where Nix looks for it. */
  | ({
      do: 'nix-conf';
      dir: string;
      /** Lines of it that come before the user's own, which win. */
      settings: Record<string, string>;
    } & NixConfPlace)
  /** Takes out of settings of Nix what a boot that was killed put there. */
  | { do: 'unmark'; files: string[] }
  /** Says what people should know about what they asked for. */
  | { do: 'warn'; text: string }
  /**
   * Sets variables for all that init starts; what a strategy says to Nix's clients. With `announce` it says how a shell of
   * `docker exec` gets them, which inherits nothing from PID 1.
   */
  | { do: 'environment'; variables: Record<string, string>; announce?: true }
  /** Says on a volume that nobody has used yet whose it is. */
  | { do: 'manifest'; path: string; strategy: 'prefix' | 'substituter' }
  /** Refuses a state directory on the volume that is another store's. */
  | ({ do: 'claim-state' } & StateClaim)
  /** Makes the binary cache on the volume and its key unless they are there. */
  | ({ do: 'binary-cache' } & PrepareRequest)
  /** Tells Nix of it. */
  | ({ do: 'substituter' } & SettingsRequest)
  /** Restores profiles and roots out of it, and keeps in it what is new. */
  | ({ do: 'keep-paths' } & KeepRequest)
  /** Pushes what is new to binary caches, beside the command and at the end. */
  | ({ do: 'push' } & PushRequest)
  /** Binds a service's socket before it runs, so that clients are queued and never refused. */
  | ({ do: 'listen'; socket: string; service: string; command: string } & DaemonStart);

const mountingKinds: readonly Step['do'][] = ['tmpfs', 'bind', 'bind-each', 'overlay', 'nix-conf'];

/** Whether a step calls mount(2). */
export const isMounting = (step: Step): boolean =>
  mountingKinds.includes(step.do) &&
  !(step.do === 'nix-conf' && (step.over === 'in place' || step.orWarn !== undefined));

export type StrategyName = Exclude<Config['strategy'], 'auto'>;

export type Plan = {
  strategy: StrategyName;
  steps: Step[];
};

/** A step as a person would say it. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case 'mkdir':
      return `create ${step.path} where it is missing`;
    case 'lock':
      return `lock ${step.path}${step.waitMs > 0 ? `, waiting up to ${step.waitMs} ms` : ''}${step.orRead ? ', or go on read-only' : ''}`;
    case 'unmount':
      return `unmount what an earlier boot left: ${step.targets.join(', ')}`;
    case 'tmpfs':
      return `mount a tmpfs at ${step.target}`;
    case 'bind':
      return `bind ${step.source} to ${step.target}${step.readOnly ? ', read-only' : ''}`;
    case 'verify':
      return `check that ${step.manifest} is for this version and ${step.xattrs}.overlay attributes`;
    case 'try-xattrs':
      return `try ${step.xattrs}.overlay attributes on ${step.path}, if the volume is new`;
    case 'seed':
      return `copy ${step.from} to ${step.to} unless it has a database`;
    case 'reconcile':
      return `bring ${step.stateDir} in step with the image, if that has changed`;
    case 'snapshot':
      return `copy ${step.from} to ${step.to}, in step with the image`;
    case 'mask':
      return `hide what ${step.below.join(', ')} has of what ${step.of} has`;
    case 'overlay':
      return `mount an overlay at ${step.target}: ${step.upper} over ${step.lower.join(', ')}`;
    case 'bind-each':
      return `bind what is in ${step.names} from ${step.source} to ${step.target}, read-only`;
    case 'clear':
      return `empty ${[...step.paths, ...(step.idle ?? [])].join(', ')}`;
    case 'roots':
      return `root what projects lead to that are not mounted, and note those that are in ${step.record}`;
    case 'nix-conf':
      return `put our defaults before ${step.dir}/nix.conf`;
    case 'unmark':
      return `take the lines of an earlier boot out of ${step.files.join(', ')}`;
    case 'warn':
      return `warn: ${step.text}`;
    case 'environment':
      return `set ${Object.entries(step.variables)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`;
    case 'manifest':
      return `note in ${step.path} that strategy ${step.strategy} uses the volume, if none has yet`;
    case 'claim-state':
      return `note in ${step.record} that ${step.stateDir} is of ${step.storeDir}, or refuse it as another store's`;
    case 'binary-cache':
      return step.readOnly
        ? `read the binary cache ${step.cache}`
        : `make a signed binary cache at ${step.cache}, unless it is there`;
    case 'substituter':
      return step.userConfDir === undefined
        ? `generate settings of Nix in ${step.own}`
        : `put settings for it into ${step.confDir}/nix.conf`;
    case 'keep-paths':
      return step.readOnly
        ? `restore profiles and roots of ${step.record}`
        : `restore profiles and roots of ${step.record}, and keep what is new in ${step.cache}`;
    case 'push':
      return `push what is new in ${step.source.names} to ${step.to.map(({ shown }) => shown).join(', ')}`;
    case 'listen':
      return `listen on ${step.socket} for ${step.command}`;
  }
}
