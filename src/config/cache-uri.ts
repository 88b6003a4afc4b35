/** The kinds of store that Nix copies to, by the schemes of their URIs (uriSchemes() in src/libstore). */
export const schemes = [
  ...['file', 'http', 'https', 's3', 'ssh', 'ssh-ng'],
  ...['mounted-ssh-ng', 'unix', 'local'],
] as const;

/** Those that name a machine; and those who log in there by a name that is no secret. */
const remote = ['http', 'https', 's3', 'ssh', 'ssh-ng', 'mounted-ssh-ng'];
const login = ['ssh', 'ssh-ng', 'mounted-ssh-ng'];

/** The parameters that tell one store from another; all others say how it is used, and as whom. */
const telling = ['endpoint', 'region', 'remote-store', 'root', 'real', 'state', 'store'];

/** A store to copy to. Whoever prints it, as part of a plan too, has it without credentials: the URI itself must be asked for. */
export class CacheUri {
  /** For people. */
  readonly shown: string;
  /** The same for all URIs of one store, whoever uses it. */
  readonly identity: string;
  readonly #uri: string;

  constructor(uri: string, shown: string, identity: string) {
    this.#uri = uri;
    this.shown = shown;
    this.identity = identity;
  }

  /** As Nix is given it. */
  get uri(): string {
    return this.#uri;
  }

  toJSON(): string {
    return this.shown;
  }
}

/**
 * Reads the URI of a store of Nix's to copy to.
 * @returns undefined for what none of Nix's stores has.
 */
export function parseCacheUri(uri: string): CacheUri | undefined {
  const [, scheme = '', authority = '', path = '', query = ''] =
    /^([a-z0-9+.-]+):\/\/([^/?#\s]*)(\/[^?#\s]*)?(?:\?([^#\s]*))?$/.exec(uri) ?? [];
  if (!schemes.some((known) => known === scheme)) return undefined;
  const [, user = '', host = ''] = /^(?:(.*)@)?(.*)$/.exec(authority) ?? [];
  if (remote.includes(scheme) ? host === '' : scheme === 'file' && !/^\/[^/]/.test(path)) return undefined;
  const name = login.includes(scheme) ? user.replace(/:.*/, '') : '';
  const shown = `${scheme}://${name === '' ? '' : `${name}@`}${host}${path.replace(/(?<!\/)\/+$/, '')}`;
  const parameters = query.split('&').filter((one) => telling.includes(one.replace(/=.*/s, '')));
  return new CacheUri(uri, shown, [shown, ...parameters.toSorted()].join('&'));
}

/** A text in which URIs may be, without what logs in somewhere. A user without a password, as of ssh, is no secret. */
export const withoutCredentials = (text: string): string =>
  // No scheme is longer; without a bound it would take the square of the time of a long word.
  text.replace(/([a-z0-9+.-]{1,20}):\/\/([^/\s"'?#]*)@/gi, (all, scheme: string, user: string) =>
    login.includes(scheme) && !user.includes(':') ? all : `${scheme}://…@`,
  );
