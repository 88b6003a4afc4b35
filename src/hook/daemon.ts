import { Exit, InitError } from '../errors.ts';
import { isListening } from '../linux/socket.ts';
import { describeUsers, openBelow } from './users.ts';

/**
 * Refuses to mount over a state that is in use: a socket below it could no longer be reached, and what a daemon writes from
 * then on would be lost.
 * @throws {InitError} 75.
 */
export function assertNoDaemon(socket: string, stateDir: string): void {
  const listening = isListening(socket);
  const users = openBelow(`${stateDir}/db`);
  if (!listening && users.length === 0) return;
  const what = listening
    ? `a nix-daemon listens at ${socket}`
    : `Nix's database is in use by ${describeUsers(users)}`;
  throw new InitError({
    stage: 'daemon',
    what: `${what} already; mount has to come before it`,
    errno: 'EBUSY',
    remedy: 'systemctl stop nix-daemon.socket nix-daemon.service, or stop it otherwise',
    exitCode: Exit.locked,
  });
}
