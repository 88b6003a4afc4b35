import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/keys.ts';
import { type Blocks, type Finding, fault, obstacle } from '../../../src/doctor/check.ts';
import { judge } from '../../../src/doctor/verdict.ts';
import type { ExitCode } from '../../../src/errors.ts';
import type { Step } from '../../../src/store/plan.ts';
import { allStrategies } from '../../../src/store/select.ts';
import { makeConfig, makeFacts } from '../fixtures.ts';

const failing = (steps: Blocks['steps'], exitCode: ExitCode): Finding =>
  obstacle(fault('a check', 'a fault', 'none', 'type this'), steps, {
    stage: 'mount',
    what: 'it fails',
    errno: 'EIO',
    exitCode,
  });

const unnoticed = (steps: Step['do'][]): Finding => {
  const { blocks, ...finding } = failing(steps, 74);
  return { ...finding, ...(blocks && { blocks: { ...blocks, unnoticed: true } }) };
};

const denied = failing(['overlay'], 77);
const damaged = failing(['verify'], 78);
const beside = failing(['snapshot'], 78);
const bare = makeFacts({ sysAdmin: false });

type Case = [
  name: string,
  facts: typeof bare,
  config: Partial<Config>,
  findings: Finding[],
  chosen: string | null,
  exitCode: number,
  line: RegExp,
];

const overlayOnly = { strategy: 'overlay', onUnsupported: 'fail' } as const;
const fallback = { strategy: 'overlay', onUnsupported: 'fallback' } as const;

const cases: Case[] = [
  ['all is well', makeFacts(), overlayOnly, [], 'overlay', 0, /^a boot here: strategy overlay$/],
  ['none was asked for', bare, { strategy: 'none' }, [denied], 'none', 0, /^a boot here: strategy none$/],
  [
    'a fact forbids it',
    bare,
    overlayOnly,
    [],
    null,
    77,
    /^a boot here: refused with 77: mount: .*CAP_SYS_ADMIN: EPERM \(docker run .*\)$/,
  ],
  [
    'a trial forbids it',
    makeFacts(),
    overlayOnly,
    [denied],
    null,
    77,
    /refused with 77: mount: it fails: EIO \(type this\)$/,
  ],
  [
    'a boot would fail half-way',
    makeFacts(),
    fallback,
    [damaged],
    null,
    78,
    /refused with 78: mount: it fails/,
  ],
  ['a fault that no step of the plan meets', makeFacts(), overlayOnly, [beside], 'overlay', 0, /overlay$/],
  [
    'the same, with a plan that does',
    makeFacts(),
    { ...overlayOnly, access: 'read-only' },
    [beside],
    null,
    78,
    /78/,
  ],
  [
    'Nix would fail some time',
    makeFacts(),
    overlayOnly,
    [unnoticed(['overlay'])],
    'overlay',
    74,
    /^a boot here: strategy overlay, which will not hold: mount: it fails/,
  ],
  ['it would not come to that', makeFacts(), overlayOnly, [unnoticed(['overlay']), damaged], null, 78, /78/],
  ['mounting is denied', makeFacts(), overlayOnly, [failing('mounting', 77)], null, 77, /refused with 77/],
  ['nothing mounts', bare, { strategy: 'none' }, [failing('mounting', 77)], 'none', 0, /strategy none$/],
  [
    'nothing can be started',
    makeFacts(),
    { strategy: 'none' },
    [failing('all', 77)],
    null,
    77,
    /refused with 77/,
  ],
  [
    'the daemon that was asked for is not there',
    makeFacts({ daemon: { path: undefined, socket: '/s' } }),
    { ...overlayOnly, 'daemon.enabled': true },
    [],
    null,
    78,
    /78: daemon: nix-daemon was not found: ENOENT/,
  ],
];

for (const [name, facts, changes, findings, chosen, exitCode, line] of cases) {
  test(`${name}: ${chosen ?? 'refused'}, ${exitCode}`, async () => {
    const verdict = await judge(facts, makeConfig(changes), findings);
    assert.deepEqual([verdict.chosen, verdict.exitCode], [chosen, exitCode]);
    assert.match(verdict.line, line);
  });
}

for (const [name, facts, findings] of [
  ['a fact', bare, []],
  ['a trial', makeFacts(), [denied]],
] as const) {
  test(`a fallback because of ${name} is not what was asked for: the exit code is the refusal's, if nothing is kept`, async () => {
    const verdict = await judge(facts, makeConfig(fallback), findings);
    assert.notEqual(verdict.chosen, 'overlay');
    assert.equal(verdict.exitCode, verdict.chosen === 'none' ? 77 : 0);
    assert.match(verdict.line, /^a boot here: strategy \S+; not overlay: mount: /);
  });
}

test('every strategy is judged, those first that a boot would try, and why says what is missing', async () => {
  const { strategies } = await judge(bare, makeConfig(fallback), []);
  assert.equal(strategies[0]?.name, 'overlay');
  assert.deepEqual(strategies.map(({ name }) => name).sort(), [...allStrategies].sort());
  assert.deepEqual([strategies[0]?.possible, strategies[0]?.why?.includes('EPERM')], [false, true]);
  assert.deepEqual(
    strategies.find(({ name }) => name === 'none'),
    { name: 'none', possible: true },
  );
});
