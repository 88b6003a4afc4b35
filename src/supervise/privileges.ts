import type { Config } from '../config/keys.ts';
import { toInitError } from '../errors.ts';
import { readAllCapabilities } from '../linux/capabilities.ts';
import type { Credentials, Identity } from '../linux/credentials.ts';
import type { Log } from '../log.ts';
import { ensureCanBecome, isAlready, resolveUser } from './identity.ts';
import { type CapabilityChange, changeOf } from './lost-capabilities.ts';

/** What becomes of init's privileges when the main command starts. */
export type Privileges = {
  /** The configured user: its environment and descriptors are the main command's. */
  user: Identity | undefined;
  /** The same where init has to change for it. */
  become: Identity | undefined;
  own: Credentials;
  change: CapabilityChange;
  noNewPrivileges: boolean;
};

/**
 * Settles the main command's privileges, before anything is mounted.
 * @param own init's credentials.
 * @throws {InitError} 78 for an unknown user, group or capability; 77 when init lacks a privilege for what is asked.
 */
export function settlePrivileges(config: Config, own: Credentials, log: Log): Privileges {
  const user = config.user === undefined ? undefined : lookUp(config.user);
  const become = user === undefined || isAlready(user, own) ? undefined : user;
  if (become !== undefined) ensureCanBecome(become, own);
  const change = changeOf({
    capabilities: config.capabilities,
    own: own.capabilities,
    root: (user?.uid ?? own.uids[1]) === 0,
    allCapabilities: readAllCapabilities,
  });
  if (change.warning !== undefined) log.warn(change.warning);
  return { user, become, own, change, noNewPrivileges: config.noNewPrivileges };
}

function lookUp(spec: string): Identity {
  try {
    return resolveUser(spec);
  } catch (error) {
    throw toInitError(error, 'config', 'cannot read /etc/passwd and /etc/group');
  }
}
