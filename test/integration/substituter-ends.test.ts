import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { readIfThere } from '../../src/linux/read.ts';
import { depths, killing } from '../harness/injection.ts';
import { bootInNamespace, childrenOf, startBoot } from '../harness/namespaceBoot.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { buildLine } from '../harness/nix.ts';
import { startStraced } from '../harness/straced.ts';
import { isKept, makeSubstituterMachine, substituter, until } from '../harness/substituterMachine.ts';

const profile = '/nix/var/nix/profiles/mine';
const key = '/nix-cache/.nix-cache-init/binary-cache-key';
/** Whoever reads the cache waits for what nobody writes. */
const hang = 'mv nix-cache-info info; busybox mkfifo nix-cache-info';

namespaceTest(
  'copying that hangs does not hold up the end beyond the grace',
  async () => {
    await using ground = await makeSubstituterMachine();
    const { machine } = ground;
    const script = `export NIX_CONFIG='post-build-hook ='; ${buildLine('c')}; cd /nix-cache/binary-cache; ${hang}; exit 7`;
    const outcome = await bootInNamespace(machine, {
      args: ['--shutdown-grace', '300ms', ...substituter('sh', '-euc', script)],
    });
    assert.equal(outcome.exitCode, 7, outcome.stderr);
    assert.match(outcome.stderr, /not everything new is in the binary cache: the grace is over/);
    const path = outcome.stdout.trim();
    await machine.shell('cd nix-cache/binary-cache; mv info nix-cache-info');
    assert.equal(isKept(machine, path), false);
    await ground.nix('true');
    assert.ok(isKept(machine, path));
  },
  120_000,
);

namespaceTest(
  'a second TERM means no patience with copying either',
  async () => {
    await using ground = await makeSubstituterMachine();
    const { machine } = ground;
    const script = `export NIX_CONFIG='post-build-hook ='; ${buildLine('c')}; cd /nix-cache/binary-cache; ${hang}; echo ready; exec sleep infinity`;
    await using booted = await startBoot(machine, {
      args: ['--shutdown-grace', '1h', ...substituter('sh', '-euc', script)],
    });
    await booted.waitFor(/ready/);
    booted.signal('SIGTERM');
    // Copying is all that is left to do, and it hangs.
    await until(() => childNames(booted.init).join() === 'nix');
    booted.signal('SIGTERM');
    const outcome = await booted.ended;
    assert.equal(outcome.exitCode, 143, outcome.stderr);
    assert.match(outcome.stderr, /the grace is over/);
  },
  120_000,
);

namespaceTest(
  'TERM while profiles are restored ends the boot, and the next one restores them',
  async () => {
    await using ground = await makeSubstituterMachine();
    const { machine } = ground;
    const path = (
      await ground.nix(`nix-env --profile ${profile} --set $(${buildLine('d')}); readlink -f ${profile}`)
    )
      .split('\n')
      .at(-1);
    await ground.switchImage('A');
    const narinfo = `${path?.slice('/nix/store/'.length, 43)}.narinfo`;
    await machine.shell(`cd nix-cache/binary-cache; mv ${narinfo} info; mkfifo ${narinfo}`);
    {
      await using booted = await startBoot(machine, { args: substituter('echo', 'ran') });
      await until(() => childNames(booted.init).includes('nix-store'));
      booted.signal('SIGTERM');
      const outcome = await booted.ended;
      assert.deepEqual([outcome.exitCode, outcome.stdout], [143, ''], outcome.stderr);
    }
    assert.equal(existsSync(machine.path(profile)), false);
    await machine.shell(`cd nix-cache/binary-cache; mv info ${narinfo}`);
    assert.equal(await ground.nix(`readlink -f ${profile}`), path);
  },
  120_000,
);

namespaceTest(
  'killed at any call of the first boot, there is no key or a whole one',
  async () => {
    await using ground = await makeSubstituterMachine();
    const { machine } = ground;
    let kills = 0;
    for (const call of ['mkdir', 'rename', 'write', 'fsync', 'chmod']) {
      for (const n of depths()) {
        await machine.shell('rm -rf nix-cache/* nix-cache/.nix-cache-init nix/var/nix/nix-cache-init');
        await using booted = await startStraced(machine, { args: substituter('true') }, killing({ call, n }));
        const { exitCode } = await booted.ended;
        if (exitCode === 0) break;
        kills += 1;
        if (existsSync(machine.path(key)))
          for (const half of ['secret', 'public'])
            assert.ok(statSync(machine.path(`${key}/${half}`)).size > 50);
        await ground.nix(
          `nix-collect-garbage >/dev/null 2>&1; ${buildLine('c')}; nix-collect-garbage >/dev/null 2>&1`,
        );
        const again = await ground.boot(['sh', '-euc', buildLine('c')]);
        assert.match(again.stderr, /copying path '\S+-c' from 'file:\/\/\/nix-cache/);
      }
    }
    assert.ok(kills >= 15, `${kills} kills`);
  },
  120_000,
);

namespaceTest(
  'a volume serves both strategies, each with what is its own',
  async () => {
    await using ground = await makeSubstituterMachine();
    const { machine } = ground;
    const layered = (script: string) => bootInNamespace(machine, { args: overlay('sh', '-euc', script) });
    await ground.nix('true');
    const first = await layered(buildLine('c'));
    assert.match(first.stderr, /building '\S+-c\.drv'/);
    await ground.switchImage('A');
    const second = await ground.boot(['sh', '-euc', buildLine('c')]);
    assert.match(second.stderr, /building '\S+-c\.drv'/);
    await ground.switchImage('A');
    const third = await layered(buildLine('c'));
    assert.deepEqual([third.exitCode, third.stderr], [0, '']);
    await ground.switchImage('A');
    const fourth = await ground.boot(['sh', '-euc', buildLine('c')]);
    assert.match(fourth.stderr, /copying path '\S+-c' from 'file:\/\/\/nix-cache/);
  },
  120_000,
);

/** What init's own children are called. */
function childNames(init: number): string[] {
  const comms = childrenOf(init).map((pid) => `/proc/${pid}/comm`);
  // One may end while it is looked at.
  return comms.map((path) => readIfThere(path)?.trim() ?? '');
}
