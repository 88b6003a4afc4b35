import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from './namespaceMachine.ts';

/** Where the init that runs in a machine answers, as seen from out here. */
export const controlOf = (machine: Machine): string => machine.path('/run/nix-cache-init/control.sock');

/** A connection to it, when it is there. */
export async function connectControl(path: string): Promise<Socket> {
  for (let tries = 0; ; tries += 1) {
    // Who is hung up on finds that out at any time.
    const socket = connect(path).on('error', () => {});
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (tries >= 200) throw error;
      await sleep(20);
    }
  }
}

/** Sends bytes and waits until the other side hangs up; what it said meanwhile. */
export async function converse(path: string, bytes: string | Uint8Array, end = false): Promise<string> {
  const socket = await connectControl(path);
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(socket, 'close');
  if (end) socket.end(bytes);
  else socket.write(bytes);
  await closed;
  return said;
}

/** One request, and the lines that come back. */
export async function request(path: string, message: object): Promise<unknown[]> {
  const said = await converse(path, `${JSON.stringify(message)}\n`);
  return said
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
