import type { Server, Socket } from 'node:net';
import { peerOf } from '../linux/peer.ts';
import type { Handlers } from './handlers.ts';

/** How many are served at a time; who comes beyond that is hung up on. */
export const MOST_CLIENTS = 32;

/**
 * Answers on a listening Unix socket, which is its own from here on. Whatever a client does, or does not do, costs init no more
 * than a bounded amount of memory and one small piece of work at a time.
 * @returns what ends it: nobody is connected any more and the socket is closed.
 */
export function serveControl(listening: number, handlers: Handlers): () => void {
  const { createServer } = process.getBuiltinModule('node:net');
  const clients = new Set<Socket>();
  const server: Server = createServer((client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    // Whoever hangs up in the middle is gone: there is nobody to tell.
    client.on('error', () => client.destroy());
    if (mayAsk(client)) void begin(client, handlers);
    else client.destroy();
  });
  server.maxConnections = MOST_CLIENTS;
  server.listen({ fd: listening });
  return () => {
    server.close();
    for (const client of clients) client.destroy();
  };
}

/** The mode of the socket keeps others out; this is for when somebody changed that, or passed on a connection's path. */
function mayAsk(client: Socket): boolean {
  const fd = descriptorOf(client);
  if (fd === undefined) return false;
  const { uid } = peerOf(fd);
  return uid === 0 || uid === process.geteuid?.();
}

/** Node has no other way to the descriptor of a connection; the pinned release has this one, and a test holds it to it. */
function descriptorOf(client: Socket): number | undefined {
  const { _handle: handle } = client as unknown as { _handle?: { fd?: number } | null };
  const fd = handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}

/** Most boots are never asked anything: what reads requests is loaded for the first one. */
async function begin(client: Socket, handlers: Handlers): Promise<void> {
  const { converse } = await import('./conversation.ts');
  if (!client.destroyed) converse(client, handlers);
}
