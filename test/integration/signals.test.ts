import assert from 'node:assert/strict';
import { type Booted, plain, startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import type { Outcome } from '../harness/run.ts';

const [INT, ILL, BUS, FPE, KILL, SEGV, TERM, CHLD, STOP] = [2, 4, 7, 8, 9, 11, 15, 17, 19];
const all = Array.from({ length: 31 }, (_, index) => index + 1);
/** TERM begins the shutdown, so it comes last. */
const forwarded = all.filter((signal) => ![KILL, STOP, CHLD, ILL, BUS, FPE, SEGV, TERM].includes(signal));

namespaceTest('every signal is forwarded to the whole group of the main command, once', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using booted = await startCounting(machine);
  for (const signal of forwarded) {
    booted.signal(signal);
    await booted.waitFor(line('main', signal));
    await booted.waitFor(line('child', signal));
  }
  const outcome = await endByTerm(booted);
  assert.equal(outcome.exitCode, 7, outcome.stderr);
  assert.deepEqual(received('main', outcome.stdout), [...forwarded, TERM]);
  assert.deepEqual(received('child', outcome.stdout), [...forwarded, TERM]);
});

namespaceTest('with processGroup=false only the main command gets them', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using booted = await startCounting(machine, '--process-group=no');
  for (const signal of forwarded) {
    booted.signal(signal);
    await booted.waitFor(line('main', signal));
  }
  const outcome = await endByTerm(booted);
  assert.equal(outcome.exitCode, 7, outcome.stderr);
  assert.deepEqual(received('main', outcome.stdout), [...forwarded, TERM]);
  // What is left when the main command has ended is asked to end like everyone else.
  assert.deepEqual(received('child', outcome.stdout), [TERM]);
});

namespaceTest(
  'the signals of our own faults, and SIGCHLD, are not forwarded and do not end init',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    await using booted = await startCounting(machine);
    for (const signal of [ILL, BUS, FPE, SEGV, CHLD]) booted.signal(signal);
    booted.signal(INT);
    await booted.waitFor(line('main', INT));
    const outcome = await endByTerm(booted);
    assert.equal(outcome.exitCode, 7, outcome.stderr);
    assert.deepEqual(received('main', outcome.stdout), [INT, TERM]);
  },
);

namespaceTest('signals from within the PID namespace are forwarded too', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const script = 'trap "echo got; exit 5" USR2; setsid sh -c "kill -USR2 1"; while :; do sleep 0.05; done';
  await using booted = await startBoot(machine, { args: plain('sh', '-c', script) });
  const { exitCode, stdout } = await booted.ended;
  assert.deepEqual([exitCode, stdout], [5, 'got\n']);
});

async function startCounting(machine: Machine, ...flags: string[]): Promise<Booted> {
  const args = [...flags, ...plain('perl', '/programs/count-signals.pl')];
  const booted = await startBoot(machine, { args });
  await booted.waitFor(/^ready$/m);
  return booted;
}

function endByTerm(booted: Booted): Promise<Outcome> {
  booted.signal(TERM);
  return booted.ended;
}

const line = (who: string, signal: number): RegExp => new RegExp(`^${who} got ${signal}$`, 'm');

/** What one of them got, up to the TERM that ends it: after that one comes a CONT, for stopped processes. */
function received(who: string, output: string): number[] {
  const pattern = new RegExp(`^${who} got (\\d+)$`, 'gm');
  const signals = [...output.matchAll(pattern)].map(([, number]) => Number(number));
  return signals.slice(0, signals.indexOf(TERM) + 1);
}
