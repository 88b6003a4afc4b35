import { nearest } from '../config/nearest.ts';
import { Exit, InitError } from '../errors.ts';
import {
  type CapabilitySets,
  capabilityMask,
  capabilityNames,
  describeCapabilities,
} from '../linux/capabilities.ts';

/** What `capabilities` makes of the sets that init has. */
export type CapabilityChange = {
  /** Taken from the main command for good. */
  lost: bigint;
  /** Those of `lost` in the bounding set that init may take from there. */
  droppable: bigint;
  /** What a user who is not root is to have; undefined: what it had. */
  ambient: bigint | undefined;
  /** Why it is less than was wanted. */
  warning?: string;
};

type Wish = {
  capabilities: 'auto' | 'keep' | readonly string[];
  own: CapabilitySets;
  /** Whether the main command runs as root: it gets what is in the bounding set, nobody else gets anything. */
  root: boolean;
  /** Asked for only when it matters. */
  allCapabilities: () => bigint;
};

const sysAdmin = capabilityMask('SYS_ADMIN');
const unchanged: CapabilityChange = { lost: 0n, droppable: 0n, ambient: undefined };

/**
 * Decides what the main command loses (DESIGN §4.2 `capabilities`).
 * @throws {InitError} 78 for an unknown name, 77 for a list that cannot be honoured.
 */
export function changeOf(wish: Wish): CapabilityChange {
  if (wish.capabilities === 'keep') return unchanged;
  return wish.capabilities === 'auto' ? withoutSysAdmin(wish) : exactly(wish.capabilities, wish);
}

/** A fully privileged container was made to do what takes SYS_ADMIN; in others it is there for init to mount. */
function withoutSysAdmin({ own, allCapabilities }: Wish): CapabilityChange {
  if (((own.bounding | own.inheritable | own.ambient) & sysAdmin) === 0n) return unchanged;
  if ((allCapabilities() & ~own.bounding) === 0n) return unchanged;
  const change = { lost: sysAdmin, droppable: own.bounding & sysAdmin, ambient: undefined };
  if (canDrop(own)) return change;
  const held = (own.permitted & sysAdmin) !== 0n;
  return {
    ...change,
    droppable: 0n,
    ...(held && {
      warning:
        'the main command can have CAP_SYS_ADMIN: taking it away needs CAP_SETPCAP (docker run --cap-add SETPCAP, or capabilities=keep)',
    }),
  };
}

function exactly(names: readonly string[], { own, root }: Wish): CapabilityChange {
  const kept = parseCapabilityList(names);
  const missing = kept & ~own.permitted;
  if (missing !== 0n) {
    throw refusal(
      `capabilities: this container does not have ${describeCapabilities(missing)}`,
      `docker run ${addFlags(missing)}, or leave it out`,
    );
  }
  const lost = own.bounding & ~kept;
  if (lost !== 0n && !canDrop(own)) {
    throw refusal(
      `capabilities: taking ${describeCapabilities(lost)} away needs CAP_SETPCAP`,
      'docker run --user root --cap-add SETPCAP',
    );
  }
  return { lost: lost | (own.inheritable & ~kept), droppable: lost, ambient: root ? undefined : kept };
}

const canDrop = ({ effective }: CapabilitySets): boolean => (effective & capabilityMask('SETPCAP')) !== 0n;

const addFlags = (mask: bigint): string =>
  describeCapabilities(mask)
    .split(', ')
    .map((name) => `--cap-add ${name}`)
    .join(' ');

/**
 * The mask of a list of names, with or without `CAP_`, in any case.
 * @throws {InitError} 78 for an unknown one, with the nearest that is known.
 */
export function parseCapabilityList(names: readonly string[]): bigint {
  return names.reduce((mask, name) => {
    const plain = name.toUpperCase().replace(/^CAP_/, '');
    const known = capabilityNames.find((candidate) => candidate === plain);
    if (known !== undefined) return mask | capabilityMask(known);
    throw new InitError({
      stage: 'config',
      what: `capabilities: there is no capability ${name}`,
      errno: 'EINVAL',
      remedy: `did you mean ${nearest(plain, capabilityNames)}?`,
      exitCode: Exit.config,
    });
  }, 0n);
}

const refusal = (what: string, remedy: string): InitError =>
  new InitError({ stage: 'config', what, errno: 'EPERM', remedy, exitCode: Exit.privilege });
