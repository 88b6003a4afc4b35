/** The store of another Nix daemon, as a lower layer: where it answers, and where its paths can be read. */
export type LowerStore = { uri: string; socket: string; directory: string };

/**
 * Reads a Nix store URI such as `unix:///run/snix.sock?real=/snix/store` as Nix does: `real` names the directory of its paths,
 * or `root` the one above `nix/store` (src/libstore/local-fs-store.hh).
 * @returns undefined for what is no daemon's, or names no directory: Nix would take it for `/nix/store`, where the overlay goes.
 */
export function parseLowerStore(uri: string): LowerStore | undefined {
  const [, path, query] = /^unix:\/\/(\/[^?#]+)\?([^#]+)$/.exec(uri) ?? [];
  if (path === undefined || query === undefined) return undefined;
  try {
    const params = new Map(query.split('&').map(nameAndValue));
    const root = params.get('root');
    const directory = params.get('real') ?? (root && `${root}/nix/store`);
    const socket = decodeURIComponent(path);
    // Where C reads it, a NUL would end it early.
    if (!directory?.startsWith('/') || `${socket}${directory}`.includes('\0')) return undefined;
    return { uri, socket, directory };
  } catch (error) {
    // A percent sign that encodes nothing.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function nameAndValue(pair: string): [string, string] {
  const [name = '', ...value] = pair.split('=');
  return [name, decodeURIComponent(value.join('='))];
}
