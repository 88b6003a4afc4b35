import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What a server does with a request: as asked, nothing at all, or it refuses with a status. */
export type Answer = 'serve' | 'hang' | number;

export interface HttpCacheRequest {
  method: string;
  path: string;
  /** What it came with of credentials. */
  authorization: string | undefined;
}

/** A binary cache behind HTTP, as simple as can be: GET, HEAD and PUT on a directory. */
export interface HttpCache extends AsyncDisposable {
  url: string;
  /** All that was asked so far. */
  requests: HttpCacheRequest[];
  /** The paths of files that were taken, in their order. */
  puts(): string[];
  has(storePath: string): boolean;
  /** What is done with each request from now on; at first all are served. */
  answer: (request: HttpCacheRequest) => Answer | Promise<Answer>;
  /** Told of each file that was taken, before its sender is. */
  onPut: (path: string) => void;
  names(): Promise<string[]>;
  /** Loses all that it has. */
  clear(): Promise<void>;
}

/** Listens on this machine alone, on a port that is free. */
export async function startHttpCache(): Promise<HttpCache> {
  const directory = await mkdtemp(join(tmpdir(), 'nix-cache-init-http-'));
  const taken: string[] = [];
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cache: HttpCache = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    puts: () => [...taken],
    has: (path) => existsSync(join(directory, `${basename(path).slice(0, 32)}.narinfo`)),
    answer: () => 'serve',
    onPut: () => {},
    names: async () => (await readdir(directory, { recursive: true })).sort(),
    clear: async () => {
      await rm(directory, { recursive: true });
      await mkdir(directory);
      taken.length = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await rm(directory, { recursive: true });
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/', headers } = request;
    const path = new URL(url, cache.url).pathname.slice(1);
    const asked = { method, path, authorization: headers.authorization };
    cache.requests.push(asked);
    const answer = await cache.answer(asked);
    if (answer === 'hang') return;
    if (answer !== 'serve') {
      request.resume();
      await once(request, 'end');
      response.writeHead(answer).end();
      return;
    }
    const file = join(directory, path);
    if (method === 'PUT') {
      const temporary = `${file}.unfinished`;
      await mkdir(dirname(file), { recursive: true });
      await pipeline(request, createWriteStream(temporary));
      await rename(temporary, file);
      taken.push(path);
      cache.onPut(path);
      response.writeHead(201).end();
    } else if (existsSync(file)) {
      response.writeHead(200);
      if (method === 'HEAD') response.end();
      else await pipeline(createReadStream(file), response);
    } else response.writeHead(404).end();
  }

  return cache;
}
