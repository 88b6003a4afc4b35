import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { parseListenAddress } from '../config/listen-address.ts';
import type { LoadedConfig } from '../config/load.ts';
import { errnoOf } from '../errors.ts';
import type { ExitOf } from '../linux/helper.ts';
import { removeFile } from '../linux/remove.ts';
import type { Log } from '../log.ts';
import { type OwnCommand, runOwnCommand } from '../supervise/own-command.ts';
import { METRICS_TYPE } from './openmetrics.ts';

/** How many are served at a time. */
const MOST_CLIENTS = 16;
/** How long a client may say nothing, or read nothing, in milliseconds. */
const SILENCE_MS = 5000;
const OWNER_ONLY = 0o600;

export type MetricsOptions = { loaded: LoadedConfig; exitOf: ExitOf; log: Log };

/**
 * Serves what `nix-cache-init metrics` prints, which runs in a process of its own: measuring takes its time.
 * @returns what ends it.
 */
export function serveMetrics(listen: string, { loaded, exitOf, log }: MetricsOptions): () => void {
  const { createServer } = process.getBuiltinModule('node:http');
  const address = parseListenAddress(listen);
  if (address === undefined) throw new RangeError(`not an address: ${listen}`);
  const end = new AbortController();
  let scrape: Promise<string> | undefined;
  const measured = (): Promise<string> => {
    // Whoever asks meanwhile gets the same.
    scrape ??= measure({
      loaded,
      exitOf,
      signal: end.signal,
      onLine: (line) => log.debug('metrics', { line }),
    }).finally(() => {
      scrape = undefined;
    });
    return scrape;
  };
  // Node would look for slow clients by a timer that wakes an idle init.
  const server: Server = createServer(
    { connectionsCheckingInterval: 2 ** 31 - 1 },
    (request, response) => void answer(request, response, measured),
  );
  server.maxConnections = MOST_CLIENTS;
  server.setTimeout(SILENCE_MS, (socket) => socket.destroy());
  server.on('error', (error) => log.warn(`metrics cannot be served at ${listen}`, { errno: errnoOf(error) }));
  if ('path' in address) {
    removeFile(address.path);
    const before = process.umask(0o777 & ~OWNER_ONLY);
    server.listen(address.path);
    process.umask(before);
  } else server.listen(address.port, address.host);
  return () => {
    end.abort(new Error('init ends'));
    server.close();
    server.closeAllConnections();
  };
}

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  measured: () => Promise<string>,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  if (url !== '/metrics' && url !== '/') {
    response.writeHead(404).end();
    return;
  }
  try {
    const text = await measured();
    response.writeHead(200, { 'content-type': METRICS_TYPE }).end(method === 'HEAD' ? undefined : text);
  } catch {
    response.writeHead(503).end();
  }
}

async function measure(command: OwnCommand): Promise<string> {
  const { exitCode, output } = await runOwnCommand(['metrics'], command);
  if (exitCode !== 0) throw new Error(`metrics ended with ${exitCode}`);
  return `${output}\n`;
}
