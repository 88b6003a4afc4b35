import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { planSchema } from '../../src/commands/schemas/plan.ts';
import { schemas } from '../../src/config/schemas.ts';
import type { Step, StrategyName } from '../../src/store/plan.ts';
import { makeHostNix } from '../harness/hostNix.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { startStraced } from '../harness/straced.ts';
import { untouched } from '../harness/untouched.ts';

const program = '/opt/nix-cache-init/bin/nix-cache-init';
const strategies = schemas.strategy.options.filter((name): name is StrategyName => name !== 'auto');

/** What a strategy needs beside its name. */
const further: Partial<Record<StrategyName, string[]>> = {};

/** What it needs around it, which goes with `ground`. */
const surroundings: Partial<
  Record<StrategyName, (nix: NixMachine, ground: AsyncDisposableStack) => Promise<void>>
> = { host: mountHost };

async function mountHost({ machine }: NixMachine, ground: AsyncDisposableStack): Promise<void> {
  const host = ground.use(await makeHostNix());
  ground.use(await host.startDaemon());
  await machine.shell(`
    mount --bind ${host.nix}/store nix/store; mount -o remount,bind,ro nix/store
    mkdir -p nix/var/nix/daemon-socket; mount --bind ${dirname(host.socket)} nix/var/nix/daemon-socket`);
}

type Variant = { name: string; flags: string[]; strategy?: StrategyName };

const variants = strategies.flatMap((strategy): Variant[] => {
  const flags = ['--strategy', strategy, '--on-unsupported', 'fail', ...(further[strategy] ?? [])];
  const plain = { name: strategy, flags, strategy };
  return strategy === 'overlay'
    ? [plain, { ...plain, name: `${strategy}, read-only`, flags: [...flags, '--access', 'read-only'] }]
    : [plain];
});

type Recorded = { strategy: string; steps: ({ ms?: number } & Record<string, unknown>)[] };

for (const { name, flags, strategy } of [...variants, { name: 'auto', flags: [] } as Variant]) {
  namespaceTest(`what plan says is what a boot does: ${name}`, async () => {
    await using ground = new AsyncDisposableStack();
    const machine = ground.use(await makeNixMachine({ volume: 'ext4', size: '256M' }));
    if (strategy !== undefined) await surroundings[strategy]?.(machine, ground);
    // A new volume, and a used one.
    for (const _ of [1, 2]) {
      const plan = await planOf(machine, flags);
      const { stdout, stderr, exitCode } = await bootInNamespace(machine.machine, {
        args: [...flags, '--', 'cat', '/run/nix-cache-init/boot.json'],
      });
      assert.equal(exitCode, 0, stderr);
      const done = JSON.parse(stdout) as Recorded;
      // Every step was executed, and took its time.
      for (const { ms } of done.steps) assert.equal(typeof ms, 'number');
      const steps = done.steps.map(({ ms: _, ...step }) => step);
      assert.deepEqual({ strategy: done.strategy, steps }, plan);
    }
  });
}

async function planOf({ machine }: NixMachine, flags: string[]): Promise<object> {
  const { exitCode, stdout, stderr } = await untouched(machine, () =>
    bootInNamespace(machine, { program: [program, 'plan'], args: ['--json', ...flags], shared: true }),
  );
  assert.equal(exitCode, 0, stderr);
  const { passedOver, ...plan } = planSchema.parse(JSON.parse(stdout));
  assert.deepEqual(passedOver, []);
  return plan;
}

namespaceTest('a plan for where nothing can work changes nothing either', async () => {
  await using machine = await makeNixMachine({ volume: 'none' });
  const { exitCode, stdout } = await untouched(machine.machine, () =>
    bootInNamespace(machine.machine, { program: [program, 'plan'], args: [], shared: true }),
  );
  assert.equal(exitCode, 0);
  assert.match(stdout, /^not overlay: .*\nnot substituter: .*\nstrategy: none\n/);
});

/** Where mount(2) is called for a step, in order. */
function mountsOf(step: Step): string[] {
  switch (step.do) {
    case 'bind':
      return step.readOnly ? [step.target, step.target] : [step.target];
    case 'tmpfs':
    case 'overlay':
      return [step.target];
    case 'nix-conf':
      return [step.over === 'directory' ? step.dir : `${step.dir}/nix.conf`];
    default:
      return [];
  }
}

for (const access of ['read-write', 'read-only']) {
  namespaceTest(
    `the kernel is asked for the mounts that the plan has, in its order, and no others: ${access}`,
    async () => {
      await using machine = await makeMachine({ volume: 'ext4' });
      await fillImage(machine, { rows: 20 });
      const [flag, args] = [`--access=${access}`, overlay('true')];
      const { stdout } = await bootInNamespace(machine, {
        program: [program, 'plan'],
        args: ['--json', flag, ...args.slice(0, args.indexOf('--'))],
      });
      const { steps } = JSON.parse(stdout) as { steps: Step[] };
      const options = ['-s', '4096', '-e', 'trace=mount'];
      await using straced = await startStraced(machine, { args: [flag, ...args] }, options);
      assert.equal((await straced.ended).exitCode, 0, straced.errors());
      const asked = Array.from(
        (await straced.log).matchAll(/ mount\("[^"]*", "([^"]*)"/g),
        ([, target]) => target,
      );
      assert.ok(asked.length > 3);
      assert.deepEqual(asked, steps.flatMap(mountsOf));
    },
  );
}
