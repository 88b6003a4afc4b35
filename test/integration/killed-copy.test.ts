import assert from 'node:assert/strict';
import { keepCommand } from '../../src/binary-cache/nix.ts';
import { depths, type KillPoint, killing } from '../harness/injection.ts';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import type { Machine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { buildLine } from '../harness/nix.ts';
import { installCommands } from '../harness/packages.ts';
import { type Outcome, run } from '../harness/run.ts';
import { cacheNames, isKept, makeSubstituterMachine } from '../harness/substituterMachine.ts';

const nix = 'nix --extra-experimental-features nix-command --offline';

const cache = '/nix-cache/binary-cache';

/** As init and the hook have Nix copy, with strace around it. */
function copy({ holder, root }: Machine, paths: readonly string[], point: KillPoint): Promise<Outcome> {
  const key = '/nix-cache/.nix-cache-init/binary-cache-key';
  const command = keepCommand({ nix: '/usr/bin/nix', cache, key }, paths);
  const strace = ['strace', '-f', '-qqq', '-o', '/dev/null', ...killing(point)];
  return run('nsenter', [`--mount=/proc/${holder}/ns/mnt`, ...strace, 'chroot', root, ...command]);
}

namespaceTest(
  'killed at any call of copying, the binary cache has whole paths or none, and takes the rest',
  async () => {
    await installCommands({ strace: 'strace' });
    await using ground = await makeSubstituterMachine();
    const { machine } = ground;
    await machine.shell('mount -t proc proc proc');
    // A key, and in the store what is to be copied.
    await ground.nix('true');
    const built = await bootInNamespace(machine, {
      args: plain('sh', '-euc', `${buildLine('big')}; ${buildLine('d')}`),
      env: { NIX_CONFIG: 'post-build-hook =' },
    });
    assert.equal(built.exitCode, 0, built.stderr);
    const paths = built.stdout.trim().split('\n');
    assert.deepEqual(isKept(machine, paths[0] ?? ''), false);
    let kills = 0;
    let leftovers = 0;
    for (const call of ['openat', 'write', 'rename', 'unlink']) {
      for (const n of depths()) {
        await machine.shell(`rm -rf .${cache}; mkdir -p .${cache}/nar`);
        const killed = await copy(machine, paths, { call, n });
        if (killed.exitCode === 0) break;
        assert.equal(killed.exitCode, 137, killed.stderr);
        kills += 1;
        leftovers += temporary(machine).length;
        // As a boot leaves it that is killed at the same time.
        await machine.shell('cp /proc/sys/kernel/random/boot_id nix-cache/.nix-cache-init/binary-cache-open');
        await ground.nix(`${nix} store verify --all --no-trust --store file://${cache}`);
        assert.deepEqual(temporary(machine), []);
        for (const path of paths) assert.ok(isKept(machine, path), path);
        await ground.nix(`${nix} store verify --all --no-trust --store file://${cache}`);
      }
    }
    assert.ok(kills > 10 && leftovers > 0, `${kills} kills, ${leftovers} temporary names`);
  },
  600_000,
);

const temporary = (machine: Machine): string[] =>
  cacheNames(machine).filter((name) => name.includes('.tmp.'));
