import type { Config } from '../config/keys.ts';
import { toInitError } from '../errors.ts';
import { readAllCapabilities } from '../linux/capabilities.ts';
import type { Credentials, Identity } from '../linux/credentials.ts';
import type { Log } from '../log.ts';
import { ensureCanBecome, isAlready, resolveUser } from './identity.ts';
import { type CapabilityChange, changeOf } from './lost-capabilities.ts';

/** Whom something runs as that has a user of its own. */
export type Person = {
  user: Identity;
  /** The same where init has to change for it. */
  become: Identity | undefined;
};

/** What becomes of init's privileges when the main command and the services start. */
export type Privileges = Partial<Person> & {
  own: Credentials;
  services: ReadonlyMap<string, Person>;
  change: CapabilityChange;
  noNewPrivileges: boolean;
};

/**
 * Settles the main command's privileges and the services' users, before anything is mounted.
 * @param own init's credentials.
 * @throws {InitError} 78 for an unknown user, group or capability; 77 when init lacks a privilege for what is asked.
 */
export function settlePrivileges(config: Config, own: Credentials, log: Log): Privileges {
  const person: Partial<Person> = config.user === undefined ? {} : settleUser(config.user, 'user', own);
  const change = changeOf({
    capabilities: config.capabilities,
    own: own.capabilities,
    root: (person.user?.uid ?? own.uids[1]) === 0,
    allCapabilities: readAllCapabilities,
  });
  if (change.warning !== undefined) log.warn(change.warning);
  const services = new Map<string, Person>();
  for (const [name, { user }] of Object.entries(config.services)) {
    if (user !== undefined) services.set(name, settleUser(user, `services.${name}.user`, own));
  }
  return { ...person, own, services, change, noNewPrivileges: config.noNewPrivileges };
}

function settleUser(spec: string, key: string, own: Credentials): Person {
  const user = lookUp(spec, key);
  const become = isAlready(user, own) ? undefined : user;
  if (become !== undefined) ensureCanBecome(become, own);
  return { user, become };
}

function lookUp(spec: string, key: string): Identity {
  try {
    return resolveUser(spec, key);
  } catch (error) {
    throw toInitError(error, 'config', 'cannot read /etc/passwd and /etc/group');
  }
}
