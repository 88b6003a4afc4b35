import { engineAnswers, sweep } from './docker.ts';
import { EngineUnavailable, startDockerd } from './dockerd.ts';
import { installCommands, isOnPath } from './packages.ts';

/** Docker for as long as the caller holds on to it: the machine's own when it answers, else one of ours. */
export async function openEngine(): Promise<AsyncDisposable> {
  if (isOnPath('docker') && (await engineAnswers())) return { [Symbol.asyncDispose]: sweep };
  if (process.getuid?.() !== 0) {
    throw new EngineUnavailable('no Docker engine answers, and starting one takes root');
  }
  await installCommands({ dockerd: 'docker.io' });
  // From trixie on the client is a package of its own.
  await installCommands({ docker: 'docker-cli' });
  console.log('Starting a private Docker engine in a temporary directory');
  return await startDockerd();
}
