import { closeSync, openSync } from 'node:fs';
import { duplicateAbove } from '../linux/descriptors.ts';
import type { ServiceDefinition } from './service.ts';

type Given = Pick<ServiceDefinition, 'chatter' | 'socket' | 'readiness'>;

/**
 * The descriptors for one start of a service, in order: nothing to read, both outputs to init's stderr or its log, its
 * socket (sd_listen_fds(3)), and the one by which it tells that it is ready.
 * @param opened closes what is not needed once the service has it.
 */
export function startDescriptors({ chatter, socket, readiness }: Given, opened: DisposableStack): number[] {
  const keep = (fd: number): number => opened.adopt(fd, closeSync);
  const nothing = keep(openSync('/dev/null', 'r'));
  const output = chatter === undefined ? 2 : keep(chatter.open());
  const fds = [nothing, output, output];
  if (socket !== undefined) fds.push(socket);
  const notification = readiness?.descriptor;
  if (notification !== undefined) {
    while (fds.length < notification.number) fds.push(nothing);
    fds.push(keep(notification.open()));
  }
  // A number of ours that is another's there would be overwritten before its turn.
  return fds.map((fd) => (fd > 2 && fd < fds.length ? keep(duplicateAbove(fd, fds.length)) : fd));
}
