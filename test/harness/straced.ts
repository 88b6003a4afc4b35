import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Booted, type NamespaceBoot, startBoot } from './namespaceBoot.ts';
import type { Machine } from './namespaceMachine.ts';
import { installCommands } from './packages.ts';

/** A boot that strace looks at, with what it saw. */
export interface Straced extends Booted {
  /** strace's log, when both have ended. */
  log: Promise<string>;
}

const gate = '/tmp/gate';

/**
 * Boots with strace on PID 1, its threads and its children. strace is outside of the PID namespace: there its KILL ends
 * a PID 1 as an engine's does, and nobody in it has a process more to wait for.
 * @param options of strace: what to look at, and what to do about it.
 */
export async function startStraced(
  machine: Machine,
  boot: Omit<NamespaceBoot, 'via'>,
  options: readonly string[],
): Promise<Straced> {
  await installCommands({ strace: 'strace' });
  await machine.shell(`rm -f .${gate}; mkfifo .${gate}`);
  const booted = await startBoot(machine, { ...boot, via: `read -r go <${gate}; exec "$@"` });
  const directory = mkdtempSync(join(tmpdir(), 'nix-cache-init-strace-'));
  const log = join(directory, 'log');
  const attach = [
    '-e',
    'quiet=attach,personality,path-resolution',
    '-f',
    '-y',
    '-s',
    '0',
    '-o',
    log,
    ...options,
    '-p',
    String(booted.init),
  ];
  try {
    const waiting = await openGate(machine.path(gate));
    const strace = spawn('strace', attach, { stdio: ['ignore', 'ignore', 'pipe'] });
    const closed = once(strace, 'close');
    let said = '';
    strace.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    while (!/^TracerPid:\s*[1-9]/m.test(readFileSync(`/proc/${booted.init}/status`, 'utf8'))) {
      if (strace.exitCode !== null) throw new Error(`strace could not attach: ${said}`);
      await sleep(1);
    }
    writeSync(waiting, 'go\n');
    closeSync(waiting);
    const ended = Promise.all([booted.ended, closed]).then(([outcome]) => outcome);
    const text = ended
      .then(() => readFileSync(log, 'utf8'))
      .finally(() => rmSync(directory, { recursive: true }));
    return { ...booted, ended, log: text };
  } catch (error) {
    await booted[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
    throw error;
  }
}

/** Opened for writing at the moment at which PID 1 waits for what is written. */
async function openGate(path: string): Promise<number> {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      await sleep(1);
    }
  }
}
