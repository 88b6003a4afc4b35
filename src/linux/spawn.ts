import { getRawPointer } from 'node:ffi';
import { beforeNode } from './before-node.ts';
import { cString, environAddress, lazily, SystemError } from './libc.ts';
import { withOpenFiles } from './limits.ts';
import { allSignals, SIGSET_BYTES, signalSet, whileIgnoring } from './signals.ts';

const spawnp = lazily('posix_spawnp', {
  return: 'int32',
  arguments: ['buffer', 'buffer', 'buffer', 'buffer', 'buffer', 'pointer'],
});
const attrInit = lazily('posix_spawnattr_init', { return: 'int32', arguments: ['buffer'] });
const attrSetFlags = lazily('posix_spawnattr_setflags', { return: 'int32', arguments: ['buffer', 'int16'] });
const attrSetGroup = lazily('posix_spawnattr_setpgroup', { return: 'int32', arguments: ['buffer', 'int32'] });
const attrSetDefault = lazily('posix_spawnattr_setsigdefault', {
  return: 'int32',
  arguments: ['buffer', 'buffer'],
});
const attrSetMask = lazily('posix_spawnattr_setsigmask', {
  return: 'int32',
  arguments: ['buffer', 'buffer'],
});
const actionsInit = lazily('posix_spawn_file_actions_init', { return: 'int32', arguments: ['buffer'] });
const actionsDestroy = lazily('posix_spawn_file_actions_destroy', { return: 'int32', arguments: ['buffer'] });
const addDup2 = lazily('posix_spawn_file_actions_adddup2', {
  return: 'int32',
  arguments: ['buffer', 'int32', 'int32'],
});
const addChdir = lazily('posix_spawn_file_actions_addchdir_np', {
  return: 'int32',
  arguments: ['buffer', 'string'],
});
const addFchdir = lazily('posix_spawn_file_actions_addfchdir_np', {
  return: 'int32',
  arguments: ['buffer', 'int32'],
});
const addTerminal = lazily('posix_spawn_file_actions_addtcsetpgrp_np', {
  return: 'int32',
  arguments: ['buffer', 'int32'],
});
const addCloseFrom = lazily('posix_spawn_file_actions_addclosefrom_np', {
  return: 'int32',
  arguments: ['buffer', 'int32'],
});

// <spawn.h> of glibc
const SETPGROUP = 0x02;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
// glibc's types take 336 and 80 bytes on 64-bit machines.
const ATTR_BYTES = 512;
const ACTIONS_BYTES = 256;

/** The arguments of posix_spawnp(3): where the PID goes, file, actions, attributes, argv, envp. */
export type SpawnCall = readonly [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer | bigint];

export type SpawnRequest = {
  /** Looked up on init's own PATH unless it has a slash. */
  file: string | Buffer;
  argv: readonly (string | Buffer)[];
  /** `NAME=value` each; without it the child gets init's environment byte for byte. */
  env?: readonly (string | Buffer)[] | undefined;
  /** A path, or a descriptor of the directory; without it init's own at this moment. */
  cwd?: string | number | undefined;
  /** Our descriptor for the child's 0, 1, 2, … in order. */
  fds: readonly number[];
  /** Descriptors that the child gets under the same numbers; no others above `fds`. */
  inherited?: readonly number[];
  /** Signals that the child starts with blocked, and ignored: none unless said. */
  blocked?: readonly number[];
  ignored?: readonly number[];
  /** A session of its own, without a terminal, instead of just a group. */
  session?: boolean;
  /** The terminal whose foreground the child's group becomes before it runs. */
  terminal?: number | undefined;
  /** Makes the call in the place of the main thread, and returns its errno. */
  call?: ((call: SpawnCall) => number) | undefined;
};

/**
 * A NULL-terminated `char *[]` with its strings right behind it, in one piece of memory: passing it to a call keeps
 * everything that it points to alive for that call.
 */
function stringArray(strings: readonly (string | Buffer)[]): Buffer {
  const texts = strings.map(cString);
  const array = Buffer.concat([Buffer.alloc((texts.length + 1) * 8), ...texts]);
  const base = getRawPointer(array);
  let offset = (texts.length + 1) * 8;
  for (const [index, text] of texts.entries()) {
    array.writeBigUInt64LE(base + BigInt(offset), index * 8);
    offset += text.length;
  }
  return array;
}

/**
 * Starts a process in a group of its own, with the limit of open files that init was given.
 * posix_spawn(3) and not Node's spawn, which knows only our own group or a new session: both break job control.
 * @returns its PID. The exit shows up at the reaper and nowhere else.
 * @throws {SystemError} ENOENT, EACCES, ENOEXEC, … as execve(2) had it.
 */
export function spawn(request: SpawnRequest): number {
  const { file, argv, env, cwd, fds, inherited = [], terminal, call = onMainThread } = request;
  const { session = false, blocked = [], ignored = [] } = request;
  const attr = Buffer.alloc(ATTR_BYTES);
  const actions = Buffer.alloc(ACTIONS_BYTES);
  const pid = Buffer.alloc(SIGSET_BYTES);
  const path = cString(file);
  attrInit()(attr);
  // The leader of a session leads a group already, and may not be moved to one (setpgid(2)).
  attrSetFlags()(attr, (session ? SETSID : SETPGROUP) | SETSIGDEF | SETSIGMASK);
  attrSetGroup()(attr, 0);
  attrSetDefault()(attr, signalSet(allSignals.filter((signal) => !ignored.includes(signal))));
  attrSetMask()(attr, signalSet(blocked));
  actionsInit()(actions);
  if (typeof cwd === 'string') addChdir()(actions, cwd);
  else if (cwd !== undefined) addFchdir()(actions, cwd);
  if (terminal !== undefined) addTerminal()(actions, terminal);
  // Also onto itself: Node marks 0–2 close-on-exec, and this duplication is what clears the mark.
  for (const [target, fd] of fds.entries()) addDup2()(actions, fd, target);
  for (const fd of inherited) addDup2()(actions, fd, fd);
  if (inherited.length === 0) addCloseFrom()(actions, fds.length);

  const environment = env ? stringArray(env) : environAddress();
  const start = (): number => call([pid, path, actions, attr, stringArray(argv), environment]);
  const errno = withOpenFiles(beforeNode.openFiles, () => whileIgnoring(ignored, start));
  actionsDestroy()(actions);
  if (errno !== 0) throw new SystemError(errno, 'posix_spawn', file.toString());
  return pid.readInt32LE(0);
}

const onMainThread = (call: SpawnCall): number => spawnp()(...call);
