import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { entrySchema } from '../../src/commands/logs.ts';
import type { ServiceSpec } from '../../src/config/services.ts';
import { reportSchema } from '../../src/control/report.ts';
import { program } from '../harness/checking.ts';
import { assertFails } from '../harness/failureLine.ts';
import { startBoot } from '../harness/namespaceBoot.ts';
import { type Machine, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import { idle, type RunningBoot, startRunningBoot } from '../harness/runningBoot.ts';
import { acting, logged, serving } from '../harness/services.ts';

/** Boots with services and a command that stays; `exec` is `docker exec`. */
const startServing = (machine: Machine, ...args: string[]): Promise<RunningBoot> =>
  startRunningBoot(machine, { args: [...args, ...idleWith(acting('web', 'session', 'stay'))] });

const idleWith = (web: ServiceSpec): string[] => [...serving({ web }).slice(0, 3), ...idle];

const statusOf = async (boot: RunningBoot) =>
  reportSchema.parse(JSON.parse(await boot.shell(`${program} status --json`)));

namespaceTest('status says what is so: strategy, layers, image, volume, command', async () => {
  await using machine = await makeMachine({ volume: 'ext4', size: '64M' });
  await fillImage(machine, { rows: 10 });
  await using boot = await startRunningBoot(machine, { args: overlay(...idle) });
  const report = await statusOf(boot);
  assert.deepEqual(report.strategy, { name: 'overlay', asked: 'overlay', passedOver: [] });
  assert.deepEqual(report.layers, {
    upper: '/nix-cache/upper',
    lowers: ['/run/nix-cache-init/lower/store'],
  });
  assert.equal(report.pid, 1);
  assert.equal(report.command?.name, 'sh');
  assert.equal(report.image?.schema, 10);
  const [blocks] = (await boot.shell('stat -f -c %b /nix-cache')).split(' ').map(Number);
  const [size] = (await boot.shell('stat -f -c %S /nix-cache')).split(' ').map(Number);
  assert.equal(report.volume?.total, (blocks ?? 0) * (size ?? 0));
  assert.match(report.volume?.holder ?? '', /PID 1/);
  const page = await boot.shell(`${program} status`);
  assert.match(page, /^strategy +overlay$/m);
  assert.match(page, /^volume +\/nix-cache\n +\[#* *\] +\d+ % {2}.* of .* free$/m);
  assert.match(page, /^ +locked by .*PID 1/m);
});

namespaceTest('why a strategy was not taken is told, by status and by wait', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startRunningBoot(machine, { args: idle });
  const { strategy, warnings, volume } = await statusOf(boot);
  assert.deepEqual([strategy.name, strategy.asked], ['none', 'auto']);
  assert.match(strategy.passedOver.join(), /overlay|volume|nix-cache/);
  assert.equal(volume, null);
  assert.ok(warnings.some(({ message }) => message.includes('going on with strategy none')));
  const { exitCode, stderr } = await boot.attempt(`${program} wait`);
  assert.equal(exitCode, 0);
  assert.match(stderr, /^nix-cache-init: strategy none: /m);
});

namespaceTest('a service is restarted at once, and that is no crash', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startServing(machine, '--log-level=info');
  const [before] = (await statusOf(boot)).services;
  assert.deepEqual([before?.name, before?.state, before?.restarts], ['web', 'running', 0]);
  const { pid } = JSON.parse(await boot.shell(`${program} restart --json web`));
  const [after] = (await statusOf(boot)).services;
  assert.deepEqual([after?.state, after?.pid, after?.restarts], ['running', pid, 1]);
  assert.notEqual(pid, before?.pid);
  const crashes = logged(boot.booted.errors()).filter(({ msg }) => msg.includes('starting it again'));
  assert.deepEqual(crashes, []);
});

namespaceTest('one that does not care for TERM is killed after the grace', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = ['--shutdown-grace=300ms', ...idleWith(acting('web', 'ignore:TERM', 'session', 'stay'))];
  await using boot = await startRunningBoot(machine, { args });
  await boot.booted.waitForError(/web own session/);
  await boot.shell(`${program} restart web`);
  assert.equal((await statusOf(boot)).services[0]?.restarts, 1);
});

namespaceTest('what waits for its next start is started now', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = idleWith(acting('web', 'first:/tmp/second', 'exit:3'));
  await using boot = await startRunningBoot(machine, { args });
  const { exitCode } = await boot.attempt(`${program} restart web`);
  assert.equal(exitCode, 0);
});

namespaceTest('a service that is not there is named with those that are', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startServing(machine);
  assertFails(await boot.attempt(`${program} restart wbe`), 64, /no service wbe: ENOENT \(say one of: web\)/);
});

namespaceTest('stop ends everything, as TERM does', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startServing(machine);
  assert.equal((await boot.attempt(`trap '' TERM; ${program} stop`)).exitCode, 0);
  assert.equal((await boot.booted.ended).exitCode, 143);
});

namespaceTest('logs has what the log does not show, and follows what comes', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startServing(machine);
  const lines = (await boot.shell(`${program} logs --json`)).split('\n').map((line) => JSON.parse(line));
  for (const line of lines) entrySchema.parse(line);
  assert.ok(lines.some(({ level, message }) => level === 'debug' && message === 'plan'));
  assert.equal((await boot.shell(`${program} logs --last 1`)).split('\n').length, 1);
  assert.equal(await boot.shell(`${program} logs --last 0`), '');
  // Ends when init hangs up.
  const following = boot.attempt(`trap '' TERM; exec ${program} logs --last 100 --follow >/tmp/followed`);
  await boot.shell("until grep -q 'plan' /tmp/followed; do sleep 0.05; done");
  const [web] = (await statusOf(boot)).services;
  await boot.shell(`kill -KILL ${web?.pid}`);
  await boot.shell(`until ${program} logs --json | grep 'status 137'; do sleep 0.1; done`);
  boot.booted.signal('SIGTERM');
  await following;
  const followed = readFileSync(machine.path('/tmp/followed'), 'utf8');
  assert.match(followed, /service web ended with status 137/);
});

namespaceTest('wait returns when services that are waited for are ready', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await machine.shell('mkfifo tmp/go');
  const web = { ...acting('web', 'say:begins', 'await:/tmp/go', 'newline:4', 'stay'), ready: { fd: 4 } };
  await using booted = await startBoot(machine, {
    args: [...serving({ web }).slice(0, 3), 'sh', '-c', 'echo ready; exec sleep infinity'],
  });
  // Before that, what has the PID may not have its root yet.
  await booted.waitForError(/web begins/);
  const waiting = machine.shell(
    `nsenter --target=${booted.init} --mount --pid --root --wd ${program} wait --timeout 60 && echo waited`,
  );
  await machine.shell('echo >tmp/go');
  assert.match(await waiting, /waited/);
  assert.match(booted.output(), /ready/);
});

namespaceTest('wait gives up in its time where no init answers', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const { stdout } = await machineRun(machine, `${program} wait --timeout 0.3; echo $?`);
  assert.match(stdout, /^75$/m);
});

namespaceTest('wait says how the boot failed, and not how one did in another life', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const fails = '/init --strategy=overlay --on-unsupported=fail true; echo';
  const first = await machineRun(machine, `${fails} $?; ${program} wait --timeout 30; echo $?`);
  assert.match(first.stdout, /^(7[78])\n\1$/m);
  assert.match(first.stderr, /wait: the boot failed: .*ECANCELED \(mend that/);
  const second = await machineRun(machine, `${program} wait --timeout 0.3; echo $?`);
  assert.match(second.stdout, /^75$/m);
});

namespaceTest('another init in the same container does not take the socket', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startServing(machine);
  const { exitCode, stderr } = await boot.attempt(
    `/init --strategy=none --log-level=info -- ${program} status --json`,
  );
  assert.equal(exitCode, 0);
  assert.match(stderr, /another init answers at/);
  assert.equal((await statusOf(boot)).pid, 1);
});

namespaceTest('nor one that is not listened at yet', async () => {
  await installCommands({ strace: 'strace' });
  await using machine = await makeMachine({ volume: 'none' });
  const late = 'strace -f -qqq -o /dev/null -e trace=listen -e inject=listen:delay_enter=500000';
  const { stdout, stderr } = await machineRun(
    machine,
    `${late} /init --strategy=none true & until [ -S /run/nix-cache-init/control.sock ]; do :; done
     /init --strategy=none --log-level=info true; wait; ls /run/nix-cache-init`,
  );
  assert.match(stderr, /another init answers at/);
  assert.doesNotMatch(stdout, /control\.sock/);
});

namespaceTest('what a killed init left is taken over', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  {
    await using boot = await startServing(machine);
    assert.equal((await statusOf(boot)).state, 'running');
  }
  await using boot = await startServing(machine);
  assert.equal((await statusOf(boot)).state, 'running');
});

namespaceTest(
  'it is for root: the mode keeps others out, and who gets around that is hung up on',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    await using boot = await startServing(machine);
    const alice = `setpriv --reuid 1000 --regid 1000 --clear-groups ${program} status`;
    assertFails(await boot.attempt(alice), 74, /EACCES/);
    await boot.shell('chmod 666 /run/nix-cache-init/control.sock');
    assertFails(await boot.attempt(alice), 74, /init hung up: ECONNRESET/);
  },
);

/** Runs a shell script as PID 1 of a PID namespace in the machine. */
async function machineRun(machine: Machine, script: string) {
  const booted = await startBoot(machine, { args: [], program: ['sh', '-c', script] });
  return await booted.ended;
}
