import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { bootInNamespace, startBoot } from '../harness/namespaceBoot.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';

const host = (...command: string[]): string[] => [
  ...['--strategy', 'host', '--on-unsupported', 'fail', '--'],
  ...command,
];

namespaceTest(
  'the nix.conf that a killed boot of strategy host left mounted is taken down by the next',
  async () => {
    await using nix = await makeNixMachine({ images: ['A'] });
    const { machine } = nix;
    const daemon = [
      '--strategy=none',
      '--daemon-enabled=yes',
      '--',
      'sh',
      '-c',
      'echo up; exec sleep infinity',
    ];
    await using theirs = await startBoot(machine, { args: daemon });
    await theirs.waitFor(/^up$/m);
    await machine.shell(`
    mount --bind nix/store nix/store; mount -o remount,bind,ro nix/store
    mount --bind nix/var/nix/daemon-socket nix/var/nix/daemon-socket`);
    const before = machine.mounts();
    const conf = (): string => readFileSync(machine.path('/etc/nix/nix.conf'), 'utf8');
    const own = conf();

    await using killed = await startBoot(machine, {
      args: host('sh', '-c', 'echo runs; exec sleep infinity'),
      shared: true,
    });
    await killed.waitFor(/^runs$/m);
    killed.signal('SIGKILL');
    await killed.ended;
    assert.notDeepEqual(machine.mounts(), before);
    const generated = conf();
    assert.notEqual(generated, own);

    const next = await bootInNamespace(machine, { args: host('cat', '/etc/nix/nix.conf'), shared: true });
    assert.deepEqual([next.exitCode, next.stdout], [0, generated], next.stderr);
    assert.deepEqual(machine.mounts(), before);
    assert.equal(conf(), own);
  },
);
