import { type Outcome, run, runOk } from './run.ts';

/** On everything we make, so that whatever a test left behind can be found and removed. */
export const label = 'nix-cache-init.test';
export const runId = process.env['NCI_TEST_RUN'] ?? `${process.pid}`;

// The classic builder is in every engine; BuildKit needs a client plugin that Debian does not install.
const env = { DOCKER_BUILDKIT: '0' };

export function docker(...args: string[]): Promise<Outcome> {
  return run('docker', args, { env });
}

export function dockerOk(...args: string[]): Promise<string> {
  return runOk('docker', args, { env });
}

let made = 0;

export function uniqueName(kind: string): string {
  made += 1;
  return `nci-${kind}-${runId}-${process.pid}-${made}`;
}

export async function engineAnswers(): Promise<boolean> {
  try {
    return (await docker('version', '--format', '{{.Server.Version}}')).exitCode === 0;
  } catch {
    return false;
  }
}

/** What this run left: containers first, for they hold the volumes. */
export async function sweep(): Promise<void> {
  const filter = `label=${label}=${runId}`;
  const remove = async (list: string[], command: string[]): Promise<void> => {
    const names = (await docker(...list)).stdout.split('\n').filter((name) => name !== '');
    if (names.length > 0) await docker(...command, ...names);
  };
  await remove(['ps', '-aq', '--filter', filter], ['rm', '-f', '-v']);
  await remove(['volume', 'ls', '-q', '--filter', filter], ['volume', 'rm', '-f']);
  if (process.env['NCI_TEST_KEEP_IMAGES']) return;
  // By name and newest first: an image goes only after those made from it, and never while somebody uses it.
  const images = ['image', 'ls', '--filter', `label=${label}`, '--format', '{{.Repository}}:{{.Tag}}'];
  await remove(images, ['image', 'rm']);
}
