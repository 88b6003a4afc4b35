import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { installCommands } from '../harness/packages.ts';
import { fixtures } from '../harness/paths.ts';

/** Those who do nothing but supervise a command, as the command lines that run it. */
export const supervisors = [
  { name: 'init', what: '/init --strategy none', over: (...main: string[]) => ['/init', ...plain(...main)] },
  { name: 'tini', what: 'tini', over: (...main: string[]) => ['/usr/bin/tini', '--', ...main] },
] as const;

export type Supervisor = (typeof supervisors)[number];

export async function makeSupervisorMachine(): Promise<Machine> {
  await installCommands({ tini: 'tini' });
  return await makeMachine({ volume: 'none' });
}

/** Runs one of our programs as the main command. @returns the numbers that it prints. */
export async function numbersUnder(
  machine: Machine,
  { over, name }: Supervisor,
  program: string,
  ...args: string[]
): Promise<number[]> {
  const [file = '', ...rest] = over('perl', `/programs/${program}`, ...args);
  const { exitCode, stdout, stderr } = await bootInNamespace(machine, { program: [file], args: rest });
  if (exitCode !== 0) throw new Error(`${fixtures}/programs/${program} under ${name}: ${stderr}`);
  return stdout.trim().split(' ').map(Number);
}
