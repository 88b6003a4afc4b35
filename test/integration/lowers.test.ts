import assert from 'node:assert/strict';
import { checkAlone, killed } from '../harness/checking.ts';
import { assertFails, assertQuiet } from '../harness/failureLine.ts';
import { atGrowingDepth } from '../harness/injection.ts';
import { bootCommand } from '../harness/namespaceBoot.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { assertVerified, buildLine, packagesBuilt } from '../harness/nix.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { installCommands } from '../harness/packages.ts';
import type { Outcome } from '../harness/run.ts';
import { everythingOf } from '../harness/treeSnapshot.ts';

/** The stores of the machine's other images, as further lowers: `b w c new` and `b c d w side`. */
const [storeB, storeC] = ['/images/B/store', '/images/C/store'];

const withLowers = (...lowers: string[]) => ({ NIX_CACHE_INIT_LOWERS: JSON.stringify(lowers) });

/** A machine whose boots have lowers. */
function onLowers(machine: NixMachine) {
  const boot = (lowers: string[], script: string): Promise<Outcome> =>
    machine.boot(['sh', '-euc', script], { env: withLowers(...lowers) });
  return {
    boot,
    async run(lowers: string[], script: string): Promise<string> {
      const outcome = await boot(lowers, script);
      assert.equal(outcome.exitCode, 0, outcome.stderr);
      return outcome.stdout.trim();
    },
    /** @returns the packages for which a builder ran, and all paths. */
    async build(lowers: string[], ...names: string[]): Promise<{ ran: string[]; paths: string[] }> {
      const { exitCode, stdout, stderr } = await boot(lowers, buildLine(...names));
      assert.equal(exitCode, 0, stderr);
      return { ran: packagesBuilt(stderr), paths: stdout.trim().split('\n') };
    },
    verify: async (lowers: string[]) =>
      assertVerified(await boot(lowers, 'nix-store --verify --check-contents')),
  };
}

const contents = (paths: readonly string[]): string => paths.map((path) => `cat ${path}/unique`).join('; ');

namespaceTest(
  'packages of two lowers are there without a build, whole, and the first lower wins',
  async () => {
    await using machine = await makeNixMachine();
    const { run, build, verify } = onLowers(machine);
    const both = [storeB, storeC];
    const names = ['c', 'd', 'new', 'side', 'old'];
    const { ran, paths } = await build(both, ...names);
    assert.deepEqual(ran, []);
    // c was built twice, and differs.
    const places = ['B', 'C', 'B', 'C', 'A'].map(
      (image, index) => `images/${image}${paths[index]?.slice(4)}`,
    );
    assert.equal(await run(both, contents(paths)), (await machine.machine.shell(contents(places))).trim());
    await verify(both);
    const turned = await run([storeC, storeB], contents(paths.slice(0, 1)));
    assert.equal(turned, (await machine.machine.shell(`cat images/C${paths[0]?.slice(4)}/unique`)).trim());
    await verify([storeC, storeB]);
  },
);

namespaceTest('a lower appears, goes and comes back: nothing of the volume is lost', async () => {
  await using machine = await makeNixMachine();
  const { run, build, verify } = onLowers(machine);
  await build([], 'e');
  // On c, which the lower has.
  const first = await build([storeB], 'd', 'e');
  assert.deepEqual(first.ran, ['d']);
  const before = await run([storeB], contents(first.paths));

  const [d = '', e = ''] = first.paths;
  assert.equal(await run([], `nix-store --check-validity ${d} 2>/dev/null || echo unknown`), 'unknown');
  assert.deepEqual(await build([], 'e'), { ran: [], paths: [e] });
  await verify([]);

  const again = await build([storeB], 'd', 'e');
  assert.deepEqual(again, { ran: [], paths: first.paths });
  assert.equal(await run([storeB], contents(again.paths)), before);
  await verify([storeB]);
});

namespaceTest('a lower that has become another is brought in step', async () => {
  await using machine = await makeNixMachine();
  const { build, verify } = onLowers(machine);
  assert.deepEqual((await build([storeB], 'new', 'on-old')).ran, ['on-old']);
  await machine.machine.shell('mv images/B images/gone; cp -a images/C images/B');
  assert.deepEqual((await build([storeB], 'side', 'd', 'on-old', 'new')).ran, ['new']);
  await verify([storeB]);
});

namespaceTest('what the volume has built is its own still when a lower has it, too', async () => {
  await using machine = await makeNixMachine();
  const { run, build, verify } = onLowers(machine);
  const { paths } = await build([], 'c', 'd');
  const before = await run([], contents(paths));
  for (const lowers of [[storeB, storeC], [storeC], []]) {
    assert.deepEqual(await build(lowers, 'c', 'd'), { ran: [], paths });
    assert.equal(await run(lowers, contents(paths)), before);
    await verify(lowers);
  }
});

namespaceTest(
  'garbage collection frees what is on the volume, and leaves lowers and image alone',
  async () => {
    await using machine = await makeNixMachine();
    const { run, build, verify } = onLowers(machine);
    const lowers = [storeB, storeC];
    const before = everythingOf(machine.machine.path('/images'));
    const { paths } = await build(lowers, 'e', 'on-old', 'd', 'side', 'new');
    const [e = '', onOld = '', ...lent] = paths;
    await run(lowers, 'nix-store --gc');
    await verify(lowers);
    assert.equal(
      await run(lowers, `for path in ${e} ${onOld}; do [ -e $path ] || echo freed; done`),
      'freed\nfreed',
    );
    assert.deepEqual(await build(lowers, 'd', 'side', 'new'), { ran: [], paths: lent });
    assert.deepEqual(everythingOf(machine.machine.path('/images')), before);
    assert.equal(await machine.machine.shell('find nix-cache/upper -maxdepth 1 -type c'), '');
  },
);

namespaceTest('an upgrade of the image beneath lowers', async () => {
  await using machine = await makeNixMachine();
  const { build, verify } = onLowers(machine);
  assert.deepEqual((await build([storeC], 'd', 'on-old', 'e')).ran.sort(), ['e', 'on-old']);
  await machine.switchImage('B');
  // What needs a package of the old image waits for it.
  assert.deepEqual((await build([storeC], 'd', 'new', 'e', 'side')).ran, []);
  await verify([storeC]);
  await machine.switchImage('A');
  assert.deepEqual((await build([storeC], 'd', 'on-old', 'e')).ran, []);
  await verify([storeC]);
});

namespaceTest('who only reads has the lowers, too', async () => {
  await using machine = await makeNixMachine();
  const { build } = onLowers(machine);
  const lowers = [storeB, storeC];
  const { paths } = await build(lowers, 'e', 'd', 'new');
  const script =
    'nix-store --verify --check-contents; nix-build /packages.nix -A e -A d -A new --no-out-link';
  const read = (...some: string[]): Promise<Outcome> =>
    machine.boot(['sh', '-euc', script], {
      env: { ...withLowers(...some), NIX_CACHE_INIT_ACCESS: 'read-only' },
    });
  const before = everythingOf(machine.machine.path('/nix-cache'));
  // As the volume is, and with other lowers than it has.
  for (const some of [lowers, lowers.toReversed()]) {
    const outcome = await read(...some);
    assertVerified(outcome);
    assert.doesNotMatch(outcome.stderr, /building '/);
    assert.deepEqual(outcome.stdout.trim().split('\n'), paths);
  }
  assert.deepEqual(everythingOf(machine.machine.path('/nix-cache')), before);
});

namespaceTest(
  'a lower without a database can be run, is not known to Nix, and that is said in one line',
  async () => {
    await using machine = await makeNixMachine();
    const { boot, verify } = onLowers(machine);
    await machine.machine.shell('mkdir bare; cp -a images/B/store bare/store');
    const path = `/nix/store/${(await machine.machine.shell("ls bare/store | grep -- '-new$'")).trim()}`;
    const outcome = await boot(
      ['/bare/store'],
      `cat ${path}/unique; nix-store --check-validity ${path} 2>/dev/null || echo unknown`,
    );
    assert.match(outcome.stdout.trim(), /^[0-9a-f-]{36}\nunknown$/, outcome.stderr);
    const lines = outcome.stderr.trim().split('\n');
    assert.equal(lines.length, 1, outcome.stderr);
    assert.match(lines[0] ?? '', /\/bare\/store has no Nix database beside it/);
    await verify(['/bare/store']);
    // To a garbage collection it is garbage, and hidden until the next boot; its own directory stays as it is.
    const before = everythingOf(machine.machine.path('/bare'));
    const collected = await boot(['/bare/store'], `nix-store --gc >/dev/null; [ -e ${path} ] || echo hidden`);
    assert.equal(collected.stdout.trim(), 'hidden', collected.stderr);
    assert.deepEqual(everythingOf(machine.machine.path('/bare')), before);
    assert.match((await boot(['/bare/store'], `cat ${path}/unique`)).stdout, /^[0-9a-f-]{36}/);
    await verify(['/bare/store']);
  },
);

namespaceTest('odd characters, and as many lowers as are allowed', async () => {
  await using machine = await makeNixMachine();
  const { run } = onLowers(machine);
  const odd = '/odd/a:b,c\\d "e" ö/store';
  const many = Array.from({ length: 57 }, (_, index) => `/many/${index}/store`);
  await machine.machine.shell(`mkdir -p many; for n in $(seq 0 56); do mkdir -p many/$n/store; echo $n >many/$n/store/${'0'.repeat(29)}$(printf %03d $n)-x; done
    mkdir -p '.${odd}'; echo odd >'.${odd}/${'1'.repeat(32)}-odd'`);
  const script = `cat /nix/store/${'1'.repeat(32)}-odd; cat /nix/store/${'0'.repeat(29)}*-x | wc -l`;
  assert.equal(await run([odd, ...many], script), 'odd\n57');
});

namespaceTest('unchanged lowers are not read again', async () => {
  await using machine = await makeNixMachine();
  const { build, boot } = onLowers(machine);
  await build([storeB, storeC], 'd');
  await build([storeB, storeC], 'd');
  const outcome = await boot([storeB, storeC], 'true');
  assertQuiet(outcome);
  const state = machine.machine.path('/nix-cache/.nix-cache-init');
  const before = everythingOf(`${state}/masks`);
  await boot([storeB, storeC], 'true');
  assert.deepEqual(everythingOf(`${state}/masks`), before);
});

namespaceTest('a lower that is away is refused, and the volume stays as it is', async () => {
  await using machine = await makeNixMachine();
  const { boot, build } = onLowers(machine);
  const { paths } = await build([storeB], 'd');
  const before = everythingOf(machine.machine.path('/nix-cache'));
  await machine.machine.shell('mv images/B images/away');
  assertFails(await boot([storeB], 'true'), 78, /the lower \/images\/B\/store is no directory: ENOENT/);
  assert.deepEqual(everythingOf(machine.machine.path('/nix-cache')), before);
  await machine.machine.shell('mv images/away images/B');
  assert.deepEqual(await build([storeB], 'd'), { ran: [], paths });
});

namespaceTest('check knows the lowers, mounted or not', async () => {
  await using machine = await makeNixMachine();
  const { build, run } = onLowers(machine);
  await build([storeB, storeC], 'd', 'e');
  const check = '/opt/nix-cache-init/bin/nix-cache-init check --contents --json';
  const inside = JSON.parse(await run([storeB, storeC], check));
  assert.deepEqual(inside.findings, []);
  const env = withLowers(storeB, storeC);
  const outside = await checkAlone(machine, ['--contents', '--json'], { env });
  assert.deepEqual(JSON.parse(outside.stdout).findings, [], outside.stderr);
  assert.equal(JSON.parse(outside.stdout).inStep, true);
  // Without them it is another image to the volume, and the next boot's affair.
  assert.equal(JSON.parse((await checkAlone(machine, ['--json'])).stdout).inStep, false);
});

/** Calls that change something while lowers are brought in step; all inits make some of each. */
const changing = ['mknod', 'rename', 'unlink', 'fsync', 'mkdir', 'pwrite64', 'mount'];

namespaceTest(
  'killed anywhere while lowers come and go, the next boot ends as if nothing had been',
  async () => {
    await installCommands({ strace: 'strace' });
    await using machine = await makeNixMachine();
    const { build, verify } = onLowers(machine);
    const { paths } = await build([storeB], 'd', 'e', 'on-old');
    let turn = 0;
    const hits = await atGrowingDepth(changing, async (call, n) => {
      turn += 1;
      // Each time they are others than the last boot had.
      const lowers = [[storeC, storeB], [storeB]][turn % 2] ?? [];
      const env = withLowers(...lowers);
      const [file, ...args] = bootCommand(machine.machine, { args: overlay('true'), env });
      const ended = await killed({ call, n }, file, args);
      assert.deepEqual(await build(lowers, 'd', 'e', 'on-old'), { ran: [], paths }, `call ${n} of ${call}`);
      await verify(lowers);
      return { exitCode: ended === 'killed' ? 137 : 0, stdout: '', stderr: '' };
    });
    assert.ok(hits > 15, `${hits}`);
  },
);
