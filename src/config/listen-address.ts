/** Where something listens: a path of a Unix socket, or an address of TCP. */
export type ListenAddress = { path: string } | { host: string; port: number };

/** Bytes of `sun_path` without its closing NUL (unix(7)). */
const SOCKET_PATH_BYTES = 107;

/**
 * Reads `unix:///run/metrics.sock`, `tcp://127.0.0.1:9101` or `tcp://[::1]:9101`.
 * @returns undefined for anything else: a host has to be an address, since nothing resolves names that early.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, path] = /^unix:\/\/(\/[^\0]*[^\0/])$/.exec(text) ?? [];
  if (path !== undefined) return Buffer.byteLength(path) <= SOCKET_PATH_BYTES ? { path } : undefined;
  const [, v6, v4, digits] =
    /^tcp:\/\/(?:\[([\da-fA-F:.]+)\]|(\d+\.\d+\.\d+\.\d+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? v4;
  const port = Number(digits);
  const { isIP } = process.getBuiltinModule('node:net');
  return host === undefined || isIP(host) === 0 || port < 1 || port > 65535 ? undefined : { host, port };
}
