import assert from 'node:assert/strict';
import type { ServiceSpec } from '../../src/config/services.ts';
import { bootInNamespace, startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { acting, logged, said, serving } from '../harness/services.ts';

type Report = {
  ms: number;
  phases: Record<'command' | 'others' | 'leftovers' | 'unmount', number> & {
    services: Record<string, number>;
  };
  killed: { pid: number; name: string; phase: string }[];
};

function reportIn(stderr: string): Report {
  const lines = logged(stderr).filter(({ msg }) => msg === 'shutdown');
  assert.equal(lines.length, 1, stderr);
  assert.equal(logged(stderr).at(-1)?.msg, 'shutdown', 'it is the last line');
  return lines[0] as unknown as Report;
}

const names = ({ killed }: Report): string[][] => killed.map(({ name, phase }) => [name, phase]);

type Stopped = { exitCode: number; words: string[]; report: Report; ms: number };

/** Boots, sends TERM once the command is up, and says how it ended. */
async function stop(
  machine: Machine,
  services: Record<string, ServiceSpec>,
  { grace = '8s', acts = ['on:TERM:7'] }: { grace?: string; acts?: string[] } = {},
): Promise<Stopped> {
  const args = [
    '--log-level=info',
    `--shutdown-grace=${grace}`,
    ...serving(services, ...acts, 'say:up', 'stay'),
  ];
  await using booted = await startBoot(machine, { args });
  await booted.waitForError(/main up/);
  const started = performance.now();
  booted.signal('SIGTERM');
  const { exitCode, stderr } = await booted.ended;
  const ms = performance.now() - started;
  return { exitCode, words: said(stderr), report: reportIn(stderr), ms };
}

/** Ready when it has done its acts. */
const settled = (name: string, ...acts: string[]): ServiceSpec => ({
  ...acting(name, ...acts, 'newline:3', 'stay'),
  ready: { fd: 3 },
});

namespaceTest('each is told by its own signal, however that is spelt', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const services = {
    one: { ...settled('one', 'ignore:TERM', 'on:INT:0'), stopSignal: 'SIGINT' },
    two: { ...settled('two', 'ignore:TERM', 'on:USR1:3'), stopSignal: 'USR1' },
  };
  const { words, report, exitCode } = await stop(machine, services);
  assert.deepEqual(words.slice(-2), ['two got USR1', 'one got INT']);
  assert.deepEqual([report.killed, exitCode], [[], 7]);
});

namespaceTest(
  'a service that ignores its stop signal is killed at the deadline, and the status stays',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const services = { deaf: settled('deaf', 'ignore:TERM'), good: settled('good', 'on:TERM:0') };
    const { exitCode, words, report, ms } = await stop(machine, services, { grace: '1500ms' });
    assert.equal(exitCode, 7);
    assert.deepEqual(words.slice(-2), ['main got TERM', 'good got TERM']);
    assert.deepEqual(names(report), [['perl', 'deaf']]);
    assert.ok(ms >= 1400 && ms < 4000, `${ms} ms`);
    assert.ok((report.phases.services['deaf'] ?? 0) > 1000);
  },
);

namespaceTest('one that hangs leaves those before it their part of the grace', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  // Started last, so stopped first.
  const services = { slow: settled('slow', 'slowly:TERM:100'), deaf: settled('deaf', 'ignore:TERM') };
  const { words, report } = await stop(machine, services, { grace: '3s' });
  assert.equal(words.at(-1), 'slow got TERM');
  assert.deepEqual(names(report), [['perl', 'deaf']]);
});

namespaceTest('a service that was stopped is not started again while others still stop', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const services = {
    slow: settled('slow', 'slowly:TERM:600'),
    web: settled('web', 'say:up', 'on:TERM:1'),
  };
  const { words, report } = await stop(machine, services);
  assert.deepEqual(words, ['web up', 'main up', 'main got TERM', 'web got TERM', 'slow got TERM']);
  assert.deepEqual(report.killed, []);
});

namespaceTest(
  'what a service leaves behind is told when its main process is gone, and killed in the end',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const services = {
      polite: settled('polite', 'leftover:TERM', 'on:TERM:0'),
      rude: settled('rude', 'leftover:USR2', 'on:TERM:0'),
    };
    const { words, report, exitCode } = await stop(machine, services, { grace: '1s' });
    assert.deepEqual(words.slice(-4), [
      'main got TERM',
      'rude got TERM',
      'polite got TERM',
      'polite leftover got TERM',
    ]);
    assert.deepEqual(names(report), [['perl', 'leftovers']]);
    assert.equal(exitCode, 7);
  },
);

namespaceTest('a second TERM kills everyone at once', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const web = settled('web', 'ignore:TERM');
  const acts = ['ignore:INT', 'hear:TERM', 'say:up', 'stay'];
  const args = ['--log-level=info', '--shutdown-grace=60s', ...serving({ web }, ...acts)];
  await using booted = await startBoot(machine, { args });
  await booted.waitForError(/main up/);
  booted.signal('SIGTERM');
  await booted.waitForError(/main heard TERM/);
  booted.signal('SIGINT');
  const { exitCode, stderr } = await booted.ended;
  assert.equal(exitCode, 137);
  assert.deepEqual(names(reportIn(stderr)), [
    ['perl', 'command'],
    ['perl', 'web'],
  ]);
});

namespaceTest('a command that ends by itself: the services are told all the same', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const web = settled('web', 'on:TERM:0');
  const { exitCode, stderr } = await bootInNamespace(machine, {
    args: serving({ web }, 'say:done', 'exit:4'),
  });
  assert.deepEqual([exitCode, said(stderr)], [4, ['main done', 'web got TERM']]);
});

namespaceTest('where init is not PID 1, it stops its services like anywhere', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const web = settled('web', 'leftover:TERM', 'on:TERM:0');
  const { stdout, stderr } = await bootInNamespace(machine, {
    via: '"$@"; echo "ended with $?"',
    args: serving({ web }, 'say:done', 'exit:4'),
  });
  assert.equal(stdout, 'ended with 4\n');
  assert.deepEqual(said(stderr), ['main done', 'web got TERM', 'web leftover got TERM']);
});

namespaceTest('without a command the services run until TERM', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const web = settled('web', 'on:TERM:3');
  const args = ['--log-level=info', '--strategy=none', `--services=${JSON.stringify({ web })}`];
  await using booted = await startBoot(machine, { args });
  await booted.waitForError(/service web is ready/);
  booted.signal('SIGTERM');
  const { exitCode, stderr } = await booted.ended;
  assert.deepEqual([exitCode, said(stderr)], [0, ['web got TERM']]);
});

namespaceTest('the line says which phase took how long, to the millisecond and better', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const services = { one: settled('one', 'slowly:TERM:200'), two: settled('two', 'slowly:TERM:300') };
  const acts = ['straggler:400', 'slowly:TERM:500'];
  const { report, ms } = await stop(machine, services, { acts });
  const { command, others, leftovers, unmount, services: each } = report.phases;
  const near = (actual: number | undefined, least: number): void =>
    assert.ok(actual !== undefined && actual >= least - 1 && actual < least + 1000, `${actual} for ${least}`);
  near(command, 500);
  near(others, 400);
  assert.deepEqual(Object.keys(each), ['two', 'one']);
  near(each['two'], 300);
  near(each['one'], 200);
  const all = [command, others, ...Object.values(each), leftovers, unmount];
  for (const part of [...all, report.ms]) assert.match(String(part), /^\d+(\.\d{1,3})?$/);
  const sum = all.reduce((left, right) => left + right);
  assert.ok(Math.abs(sum - report.ms) < 0.01, `${sum} of ${report.ms}`);
  assert.ok(report.ms <= ms);
  assert.deepEqual(report.killed, []);
});

namespaceTest(
  'it names who had to be killed, with phase and number, and comes after the unmounting',
  async () => {
    await using machine = await makeMachine();
    await fillImage(machine);
    const perl = '$SIG{TERM} = "IGNORE"; opendir D, "/nix/store"; syswrite STDOUT, "$$\\n"; sleep 1 while 1';
    const script = `setsid perl -e '${perl}' & exec sleep 60`;
    const args = [
      '--log-level=info',
      '--shutdown-grace=1s',
      '--strategy=overlay',
      '--daemon-enabled=no',
      '--',
    ];
    await using booted = await startBoot(machine, { args: [...args, 'sh', '-c', script] });
    const [pid] = await booted.waitFor(/^\d+$/m);
    booted.signal('SIGTERM');
    const report = reportIn((await booted.ended).stderr);
    assert.deepEqual(report.killed, [{ pid: Number(pid), name: 'perl', phase: 'others' }]);
    assert.ok(report.phases.unmount > 0.05, `unmounted in ${report.phases.unmount} ms`);
  },
);

namespaceTest('a boot in which nothing ran has no shutdown to report', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = ['--log-level=info', '--strategy=none', '--', 'no-such-command'];
  const { exitCode, stderr } = await bootInNamespace(machine, { args });
  assert.equal(exitCode, 127);
  assert.doesNotMatch(stderr, /"shutdown"/);
});
