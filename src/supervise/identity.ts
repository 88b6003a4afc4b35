import { nearest } from '../config/nearest.ts';
import { Exit, InitError, systemErrno, toInitError } from '../errors.ts';
import { asIdentity, type Credentials, type Identity } from '../linux/credentials.ts';
import { parseGroup, parseId, parsePasswd } from '../linux/passwd.ts';
import { readIfThere } from '../linux/read.ts';

/**
 * Whom `name`, `uid`, `uid:gid` or `name:group` means in this image, as Docker reads it (moby/sys/user, GetExecUser): digits
 * are always an ID, which need not be in /etc/passwd; supplementary groups only where no group is given.
 * @param key the configuration key, for the message.
 * @throws {InitError} 78 for a name that is not there, with the nearest that is.
 */
export function resolveUser(spec: string, key = 'user'): Identity {
  const [user = '', group] = spec.split(':');
  const users = parsePasswd(readIfThere('/etc/passwd') ?? '');
  const uid = parseId(user);
  const entry = users.find((candidate) =>
    uid === undefined ? candidate.name === user : candidate.uid === uid,
  );
  if (entry === undefined && uid === undefined) {
    throw unknown({ key, kind: 'user', file: 'passwd' }, user, users);
  }
  const person = { uid: uid ?? 0, gid: 0, home: '/', ...entry };
  const ids = group === undefined ? implicitGroups(person) : explicitGroup(group, key);
  const { name } = { name: undefined, ...entry };
  return { uid: person.uid, home: person.home, ...ids, ...(name === undefined ? {} : { name }) };
}

type Groups = Pick<Identity, 'gid' | 'groups'>;

function implicitGroups({ gid, name }: { gid: number; name?: string }): Groups {
  const groups = parseGroup(readIfThere('/etc/group') ?? '');
  const theirs = groups.filter(({ members }) => name !== undefined && members.includes(name));
  return { gid, groups: [...new Set([gid, ...theirs.map((entry) => entry.gid)])] };
}

function explicitGroup(group: string, key: string): Groups {
  const groups = parseGroup(readIfThere('/etc/group') ?? '');
  const gid = parseId(group) ?? groups.find(({ name }) => name === group)?.gid;
  if (gid === undefined) throw unknown({ key, kind: 'group', file: 'group' }, group, groups);
  return { gid, groups: [gid] };
}

type Place = { key: string; kind: 'user' | 'group'; file: 'passwd' | 'group' };

function unknown({ key, kind, file }: Place, word: string, known: readonly { name: string }[]): InitError {
  const names = known.map(({ name }) => name);
  return new InitError({
    stage: 'config',
    what: `${key}: there is no ${kind} ${word} in /etc/${file}`,
    errno: 'ENOENT',
    remedy:
      names.length === 0 ? 'give its number' : `did you mean ${nearest(word, names)}? or give its number`,
    exitCode: Exit.config,
  });
}

/** What an environment says of whose it is; a name only where it says one already. */
export function personalVariables(
  { home, name }: Identity,
  isSet: (variable: string) => boolean,
): Record<string, string> {
  const named = name === undefined ? [] : ['USER', 'LOGNAME'].filter(isSet);
  return { HOME: home, ...Object.fromEntries(named.map((variable) => [variable, name ?? ''])) };
}

/** Whether these credentials are the identity's already; more groups, as of `docker run --group-add`, do no harm. */
export function isAlready({ uid, gid, groups }: Identity, own: Credentials): boolean {
  const held = new Set([...own.groups, gid]);
  return (
    own.uids.every((id) => id === uid) &&
    own.gids.every((id) => id === gid) &&
    groups.every((id) => held.has(id))
  );
}

/**
 * Tries whether init can start something as that user; nothing but trying knows what a user namespace maps and allows.
 * @throws {InitError} 77 when it cannot.
 */
export function ensureCanBecome(identity: Identity, own: Credentials): void {
  const who = identity.name ?? `uid ${identity.uid}`;
  const [, effective] = own.uids;
  if (effective !== 0) {
    throw refusal(
      `init runs as uid ${effective} and cannot start a command as ${who}`,
      'docker run --user root',
    );
  }
  try {
    asIdentity(identity, () => undefined);
  } catch (error) {
    throw explain(error, who);
  }
}

function explain(error: unknown, who: string): InitError {
  const errno = systemErrno(error);
  if (errno === 'EINVAL') {
    return refusal(
      `user ${who} has no number in this user namespace`,
      'give the engine subordinate IDs (/etc/subuid, /etc/subgid), or choose a user that it maps',
      error,
    );
  }
  if (errno !== 'EPERM') return toInitError(error, 'run', `cannot become ${who}`);
  if (readIfThere('/proc/self/setgroups')?.trim() === 'deny') {
    return refusal(
      `setgroups(2) is denied in this user namespace, so the groups of ${who} cannot be set`,
      'give the engine subordinate group IDs (/etc/subgid)',
      error,
    );
  }
  return refusal(
    `becoming ${who} needs CAP_SETUID and CAP_SETGID`,
    'docker run --cap-add SETUID --cap-add SETGID',
    error,
  );
}

const refusal = (what: string, remedy: string, cause?: unknown): InitError =>
  new InitError({ stage: 'run', what, errno: 'EPERM', remedy, exitCode: Exit.privilege, cause });
