import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Analysis, analysisSchema } from '../../src/analyze/schema.ts';
import { program } from '../harness/checking.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import { runOk } from '../harness/run.ts';
import { acting } from '../harness/services.ts';

const recorded = '/run/nix-cache-init/boot.json';

/** The command runs before its start is on record. */
const untilRecorded = `until grep -q '"name": "command"' ${recorded}; do sleep 0.05; done`;

async function imageMachine(): Promise<Machine> {
  const machine = await makeMachine({ volume: 'ext4' });
  await fillImage(machine, { rows: 20 });
  return machine;
}

/** Boots, and has the command ask when all of the boot is recorded. */
async function analyze(machine: Machine, flags: string[], script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await bootInNamespace(machine, {
    args: [...flags, ...overlay('sh', '-euc', `${untilRecorded}; ${script}`)],
  });
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

const parse = (text: string): Analysis => analysisSchema.parse(JSON.parse(text));

/** Rounded to microseconds, each of two. */
const almost = (one: number, other: number): boolean => Math.abs(one - other) < 0.0025;

namespaceTest('every moment from the start of Node to the command is somewhere', async () => {
  await using machine = await imageMachine();
  const services = {
    quick: acting('quick', 'stay'),
    slow: { ...acting('slow', 'socket:/run/slow', 'stay'), ready: { socket: '/run/slow' } },
  };
  const flags = [`--services=${JSON.stringify(services)}`];
  const text = await analyze(machine, flags, `cat ${recorded}; echo; ${program} analyze --json`);
  const [record = '', answer = ''] = text.split(/^(?=\{)/m);
  const analysis = parse(answer);
  assert.deepEqual(
    analysis.phases.map(({ name }) => name),
    ['node', 'program', 'configuration', 'facts', 'strategy', 'steps', 'services', 'command'],
  );
  let end = 0;
  for (const { start, ms } of analysis.phases) {
    assert.ok(almost(start, end) && ms >= 0, `${start} after ${end}`);
    end = start + ms;
  }
  assert.ok(almost(analysis.ms, end));
  assert.ok(Math.abs(Date.parse(analysis.began) - Date.now()) < 600_000, analysis.began);

  const { steps } = JSON.parse(record) as { steps: { do: string; ms: number }[] };
  assert.deepEqual(
    analysis.steps.map((step) => step.do),
    steps.map((step) => step.do),
  );
  assertInside(analysis, 'steps', analysis.steps);
  for (const { what } of analysis.steps) assert.match(what, /^[a-z]+ .+/);
  assert.deepEqual(
    analysis.services.map(({ name, outcome }) => [name, outcome]),
    [
      ['quick', 'started'],
      ['slow', 'ready'],
    ],
  );
  assertInside(analysis, 'services', analysis.services);
});

/** Parts follow each other and lie within their phase. */
function assertInside({ phases }: Analysis, name: string, parts: { start: number; ms: number }[]): void {
  const phase = phases.find((phase) => phase.name === name);
  assert.ok(phase !== undefined && parts.length > 0);
  let from = phase.start;
  for (const { start, ms } of parts) {
    assert.ok(start >= from - 0.0025, `${start} is before ${from}`);
    from = start + ms;
  }
  assert.ok(from <= phase.start + phase.ms + 0.0025);
}

namespaceTest('the table has a row for each of them, and so has the picture', async () => {
  await installCommands({ xmllint: 'libxml2-utils' });
  await using machine = await imageMachine();
  const script = `${program} analyze --json --svg /tmp/boot.svg; echo; ${program} analyze`;
  const [answer = '', table = ''] = (await analyze(machine, [], script)).split(/\n\n/);
  const { phases, steps, ms } = parse(answer);
  const rows = table.trimEnd().split('\n').slice(1);
  assert.equal(rows.length, phases.length + steps.length + 1);
  for (const { what } of steps)
    assert.ok(
      rows.some((row) => row.endsWith(what)),
      what,
    );
  assert.match(rows.at(-1) ?? '', new RegExp(`${ms.toFixed(2)} .*overlay$`));
  const picture = readFileSync(machine.path('/tmp/boot.svg'), 'utf8');
  await runOk('xmllint', ['--noout', '-'], { input: picture });
  assert.equal(picture.match(/<g>/g)?.length, phases.length + steps.length);
  assert.doesNotMatch(picture, /<script|href|url\(|@import/);
});

namespaceTest('what was tried and refused has its time, too', async () => {
  await using machine = await imageMachine();
  // Somebody else has the volume, which only the attempt to lock it shows.
  const via = `mkdir -p /nix-cache/.nix-cache-init; exec 9>>/nix-cache/.nix-cache-init/lock; flock 9; exec "$@"`;
  const script = `${untilRecorded}; ${program} analyze --json`;
  const { exitCode, stdout, stderr } = await bootInNamespace(machine, {
    via,
    args: ['--on-locked=read-only', ...overlay('sh', '-euc', script)],
  });
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(
    parse(stdout).phases.flatMap(({ name, detail }) => (detail === undefined ? [] : [[name, detail]])),
    [
      ['strategy', 'overlay'],
      ['refused', 'overlay'],
      ['strategy', 'overlay'],
    ],
  );
});

namespaceTest('without a boot it says so, with 1', async () => {
  await using machine = await imageMachine();
  const asked = [program, 'analyze'];
  const ask = () => bootInNamespace(machine, { program: asked, args: [] });
  const { exitCode, stdout, stderr } = await ask();
  assert.deepEqual([exitCode, stdout], [1, '']);
  const line = /^nix-cache-init: analyze: no boot .*boot\.json: ENOENT \(.*docker exec CONTAINER .*\)\n$/;
  assert.match(stderr, line);
  // Nor does it make something of what is none.
  await machine.shell(`mkdir -p run/nix-cache-init; echo '{"steps":' >${recorded.slice(1)}`);
  assert.match((await ask()).stderr, line);
  await machine.shell(`echo '{"strategy":"none","steps":[]}' >${recorded.slice(1)}`);
  assert.match((await ask()).stderr, line);
});

for (const [words, says] of [
  [['--svg'], /--svg/],
  [['--svg', ''], /--svg FILE/],
  [['--svg', '-', '--json'], /--svg FILE/],
  [['more'], /more/],
] as const) {
  namespaceTest(`analyze ${words.join(' ')} is a wrong use`, async () => {
    await using machine = await makeMachine();
    const asked = [program, 'analyze'];
    const { exitCode, stdout, stderr } = await bootInNamespace(machine, { program: asked, args: [...words] });
    assert.deepEqual([exitCode, stdout], [64, '']);
    assert.match(stderr, says);
  });
}
