import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Row, readRows } from './databaseRows.ts';
import { type KillPoint, killing } from './injection.ts';
import { type Booted, bootCommand, bootInNamespace, type NamespaceBoot, startBoot } from './namespaceBoot.ts';
import type { Machine } from './namespaceMachine.ts';
import { overlay } from './namespaceStore.ts';
import type { NixMachine } from './nixMachine.ts';
import { type Outcome, run } from './run.ts';
import { idle, startRunningBoot } from './runningBoot.ts';

export const program = '/opt/nix-cache-init/bin/nix-cache-init';

/** Runs the command where nothing is mounted: the volume beside the image. */
export function checkAlone(
  { machine }: NixMachine,
  flags: readonly string[] = [],
  options: Omit<NamespaceBoot, 'args' | 'program'> = {},
): Promise<Outcome> {
  return bootInNamespace(machine, { ...options, program: [program, 'check'], args: [...flags] });
}

/** The same, left running. */
export const startAlone = ({ machine }: NixMachine, flags: readonly string[]): Promise<Booted> =>
  startBoot(machine, { program: [program, 'check'], args: [...flags] });

/** The same as a command, for a tracer to start. */
export const checkCommand = ({ machine }: NixMachine, flags: readonly string[]): [string, ...string[]] =>
  bootCommand(machine, { program: [program, 'check'], args: [...flags] });

/** `completed` when it makes fewer calls and comes to its own end. */
export type Killed = 'killed' | 'completed';

/** Runs a program under strace, which kills whoever makes that call. */
export async function killed(point: KillPoint, file: string, args: readonly string[]): Promise<Killed> {
  const { exitCode, stderr } = await run('strace', [
    ...['-f', '-qqq', '-o', '/dev/null', ...killing(point)],
    ...[file, ...args],
  ]);
  // What unshare(1) says of a PID 1 that was killed differs; the program has something to say when it fails. It may have been
  // one of Nix's programs that was killed.
  if (/nix-cache-init:(?!.* was killed by SIGKILL)/.test(stderr))
    throw new Error(`killed at call ${point.n} of ${point.call}: ${stderr}`);
  return exitCode === 0 ? 'completed' : 'killed';
}

/** Runs the command in a boot of its own, as its main command. */
export const checkBooted = (machine: NixMachine, flags: readonly string[] = []): Promise<Outcome> =>
  machine.boot([program, 'check', ...flags]);

/** A running container, and the command in it as `docker exec` would run it. */
export interface Running extends AsyncDisposable {
  check(flags?: readonly string[]): Promise<Outcome>;
  killedCheck(flags: readonly string[], point: KillPoint): Promise<Killed>;
  /** Runs a shell script that must succeed; its output, trimmed. */
  shell(script: string): Promise<string>;
}

export async function startRunning({ machine }: NixMachine): Promise<Running> {
  const running = await startRunningBoot(machine, { args: overlay(...idle) });
  const { enter, exec, shell } = running;
  return {
    check: (flags = []) => exec([program, 'check', ...flags]),
    killedCheck: (flags, point) => killed(point, 'nsenter', enter([program, 'check', ...flags])),
    shell,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** What the volume's database says, by path. Nothing may write to it meanwhile. */
export function volumeRows({ machine }: NixMachine): Record<string, Row> {
  return withCopy(machine, (copy) => readRows(copy));
}

/** Changes the volume's database as nobody should, while nobody has it open. */
export function tamper({ machine }: NixMachine, sql: string): void {
  withCopy(machine, (copy, file) => {
    const database = new DatabaseSync(copy, { enableForeignKeyConstraints: false });
    database.exec(sql);
    // Which writes the log back.
    database.close();
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
    copyFileSync(copy, file);
  });
}

/** SQLite cannot follow a path through /proc, so it gets a copy. */
function withCopy<T>(machine: Machine, act: (copy: string, file: string) => T): T {
  const file = machine.path('/nix-cache/var/nix/db/db.sqlite');
  const work = mkdtempSync(join(tmpdir(), 'nix-cache-init-db-'));
  try {
    const copy = join(work, 'db.sqlite');
    for (const suffix of ['', '-wal'])
      if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
    return act(copy, file);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Every Nix of the machine asks a directory in it before it builds. */
export async function useCache(machine: NixMachine, ...paths: string[]): Promise<void> {
  await machine.machine.shell('mkdir cache');
  await machine.nix(`nix copy --to file:///cache ${paths.join(' ')}`);
  const conf = machine.machine.path('/etc/nix/nix.conf');
  const text = readFileSync(conf, 'utf8').replace(/^substituters =.*$/m, 'substituters = file:///cache');
  writeFileSync(conf, `${text}require-sigs = false\n`);
}
