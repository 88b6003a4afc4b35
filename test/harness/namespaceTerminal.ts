import { bootCommand, firstChild, type NamespaceBoot } from './namespaceBoot.ts';
import type { Machine } from './namespaceMachine.ts';
import { installCommands } from './packages.ts';
import { openScript, quote, type Script } from './script.ts';

export type NamespaceTerminal = Omit<Script, 'child'> & AsyncDisposable;

/** Boots in a real terminal, whose session PID 1 leads as it would under `docker run -t`. */
export async function openNamespaceTerminal(
  machine: Machine,
  boot: NamespaceBoot,
): Promise<NamespaceTerminal> {
  await installCommands({ script: 'bsdutils' });
  const via = `exec setsid --ctty sh -c ${quote(boot.via ?? 'exec "$@"')} sh "$@"`;
  const command = bootCommand(machine, { ...boot, via, env: { TERM: 'dumb', ...boot.env } });
  const { child, ...script } = openScript(`exec ${command.map(quote).join(' ')}`);
  return {
    ...script,
    async [Symbol.asyncDispose]() {
      // PID 1 goes with unshare (--kill-child), the PID namespace with that, and then script has nothing left to do.
      const below = child.exitCode === null && child.pid !== undefined && firstChild(child.pid);
      if (below) process.kill(below, 'SIGKILL');
      await script.ended;
    },
  };
}
