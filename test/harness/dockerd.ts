import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineAnswers } from './docker.ts';
import { tail } from './run.ts';
import { makeWorkspace } from './workspace.ts';

export class EngineUnavailable extends Error {}

/** A Docker engine of our own, in a temporary directory, touching neither firewall nor bridges. */
export async function startDockerd(): Promise<AsyncDisposable> {
  const workspace = await makeWorkspace();
  const before = process.env['DOCKER_HOST'];
  let reason = '';
  // dockerd chooses overlay2 by itself where that works; vfs always works, slowly.
  for (const driver of [[], ['--storage-driver=vfs']]) {
    const socket = `unix://${join(workspace.path, 'docker.sock')}`;
    process.env['DOCKER_HOST'] = socket;
    const daemon = launch(workspace.path, socket, driver);
    if (await isReady(daemon)) {
      return { [Symbol.asyncDispose]: () => stopAndRemove(daemon) };
    }
    await stop(daemon, workspace.path);
    reason = tail(await readFile(join(workspace.path, 'dockerd.log'), 'utf8'));
  }
  restoreHost();
  await workspace[Symbol.asyncDispose]();
  throw new EngineUnavailable(`dockerd cannot run here:\n${reason}`);

  async function stopAndRemove(daemon: ChildProcess): Promise<void> {
    await stop(daemon, workspace.path);
    restoreHost();
    await workspace[Symbol.asyncDispose]();
  }

  function restoreHost(): void {
    if (before === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = before;
  }
}

function launch(directory: string, socket: string, extra: string[]): ChildProcess {
  const log = openSync(join(directory, 'dockerd.log'), 'w');
  const off = ['--iptables=false', '--ip6tables=false', '--bridge=none', '--ip-forward=false'];
  const places = [
    ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')],
    ...['--pidfile', join(directory, 'pid'), '-H', socket],
  ];
  // Its own process group, so that Ctrl-C reaches us first; the death signal, so that it never outlives us.
  const args = ['--pdeathsig', 'TERM', 'dockerd', ...off, ...places, ...extra];
  const daemon = spawn('setpriv', args, { stdio: ['ignore', log, log], detached: true });
  daemon.on('error', () => {});
  closeSync(log);
  return daemon;
}

async function isReady(daemon: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < 240; tries += 1) {
    if (daemon.exitCode !== null || daemon.signalCode !== null || daemon.pid === undefined) return false;
    if (await engineAnswers()) return true;
    await sleep(250);
  }
  return false;
}

async function stop(daemon: ChildProcess, directory: string): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null || daemon.pid === undefined) return;
  const ended = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  if (await Promise.race([ended, sleep(30_000, undefined, { ref: false })])) return;
  daemon.kill('SIGKILL');
  await ended;
  const containerd = await readFile(join(directory, 'exec/containerd/containerd.pid'), 'utf8').catch(
    () => '',
  );
  if (Number(containerd) > 1) process.kill(Number(containerd), 'SIGKILL');
}
