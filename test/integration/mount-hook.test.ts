import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { assertFails } from '../harness/failureLine.ts';
import { command, hookScript } from '../harness/hook.ts';
import { atGrowingDepth, sendAt } from '../harness/injection.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { type Machine, type MachineOptions, makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay, storePath, validPaths } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';

const nothing = { exitCode: 0, stdout: '', stderr: '' };

namespaceTest('mount lays the volume under the store and ends; unmount leaves it as it was', async () => {
  await using machine = await imageMachine();
  const before = machine.mounts();
  assert.deepEqual(await command(machine, ['mount']), nothing);
  assert.deepEqual(overlays(machine), ['/nix/store overlay']);
  assert.deepEqual(validPaths(machine.path('/nix/var/nix')), validPaths(machine.path('/nix-cache/var/nix')));
  await machine.shell(
    'echo kept >nix/store/new; test -f nix-cache/upper/new; test -d nix/var/nix/daemon-socket',
  );
  assert.deepEqual(await command(machine, ['unmount']), nothing);
  assert.deepEqual(machine.mounts(), before);
  assert.equal(existsSync(machine.path('/nix/store/new')), false);
  assert.equal(existsSync(machine.path('/run/nix-cache-init/boot.json')), false);
  assert.deepEqual(await command(machine, ['mount']), nothing);
  assert.equal(readFileSync(machine.path('/nix/store/new'), 'utf8'), 'kept\n');
});

namespaceTest('both done twice change nothing', async () => {
  await using machine = await imageMachine();
  assert.deepEqual(await command(machine, ['unmount']), nothing);
  await command(machine, ['mount']);
  const look = 'grep machine- /proc/self/mountinfo; stat -c "%n %z" run/nix-cache-init/boot.json';
  const mounted = await machine.shell(look);
  assert.deepEqual(await command(machine, ['mount']), nothing);
  assert.equal(await machine.shell(look), mounted);
  assert.deepEqual(await command(machine, ['unmount']), nothing);
  assert.deepEqual(await command(machine, ['unmount']), nothing);
});

namespaceTest('where mounts are shared, as under systemd, none is mounted on another by that', async () => {
  await using machine = await imageMachine();
  await machine.shell('mount --make-rshared "$PWD"');
  const before = machine.mounts();
  const mounted: string[][] = [];
  for (const _ of ['once', 'twice']) {
    assert.deepEqual(await command(machine, ['mount']), nothing);
    mounted.push(machine.mounts());
    assert.equal(new Set(machine.mounts()).size, machine.mounts().length);
    assert.deepEqual(await command(machine, ['unmount']), nothing);
    assert.deepEqual(machine.mounts(), before);
  }
  assert.deepEqual(mounted[0], mounted[1]);
});

namespaceTest('two at once: one does it, the other finds it done', async () => {
  await using machine = await imageMachine();
  const script = '"$NCI" mount & "$NCI" mount || exit 1; wait $!';
  assert.deepEqual(await hookScript(machine, script), nothing);
  assert.deepEqual(overlays(machine), ['/nix/store overlay']);
  const back = '"$NCI" unmount & "$NCI" unmount || exit 1; wait $!';
  assert.deepEqual(await hookScript(machine, back), nothing);
  assert.deepEqual(overlays(machine), []);
});

namespaceTest('with other settings it does not mount a second time', async () => {
  await using machine = await imageMachine();
  await command(machine, ['mount']);
  const outcome = await command(machine, ['mount', '--state-dir=/nix/var/other']);
  assertFails(
    outcome,
    75,
    /mounted over \/nix\/store already, with other settings: EBUSY \(nix-cache-init unmount/,
  );
  // What is to be undone is what was done.
  assert.deepEqual(await command(machine, ['unmount', '--state-dir=/nix/var/other']), nothing);
  assert.deepEqual(overlays(machine), []);
});

namespaceTest('the volume is locked for as long as it is mounted, and no longer', async () => {
  await using machine = await imageMachine();
  await command(machine, ['mount']);
  // In another container: mount and PID namespaces of its own.
  const other = () => bootInNamespace(machine, { args: [...overlay('true')], via: apart });
  assertFails(
    await other(),
    75,
    /the volume is in use by \S+ \(nix-cache-init mount, since .*unmount, there/,
  );
  const reader = await bootInNamespace(machine, {
    via: apart,
    args: ['--access', 'read-only', ...overlay('cat', `${storePath('hello')}/bin/hello`)],
  });
  assert.equal(reader.exitCode, 0, reader.stderr);
  await command(machine, ['unmount']);
  assert.deepEqual(await other(), nothing);
});

namespaceTest('a second container that waits gets the volume when it is unmounted', async () => {
  await using machine = await imageMachine();
  await command(machine, ['mount']);
  const waiting = bootInNamespace(machine, {
    via: apart,
    args: ['--on-locked=wait', '--lock-timeout=5m', ...overlay('true')],
  });
  await machine.shell(waitForFlockTry);
  assert.deepEqual(await command(machine, ['unmount']), nothing);
  assert.deepEqual(await waiting, nothing);
});

namespaceTest('after a reboot nothing is left of the lock', async () => {
  await using machine = await imageMachine();
  await command(machine, ['mount']);
  await command(machine, ['unmount']);
  const lock = machine.path('/nix-cache/.nix-cache-init/lock');
  const { mounted } = JSON.parse(readFileSync(lock, 'utf8'));
  assert.equal(mounted, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  // Of this boot and mounted no more; of another one.
  for (const id of [mounted, '00000000-0000-0000-0000-000000000000']) {
    await machine.shell(`echo '{"host":"vm","pid":1,"mounted":"${id}"}' >nix-cache/.nix-cache-init/lock`);
    assert.deepEqual(await bootInNamespace(machine, { args: overlay('true') }), nothing);
  }
});

namespaceTest('while a container has the volume, mount is refused with its name', async () => {
  await using machine = await imageMachine();
  const before = machine.mounts();
  const script = `mkdir -p /nix-cache/.nix-cache-init; flock /nix-cache/.nix-cache-init/lock "$NCI" mount`;
  assertFails(
    await hookScript(machine, script),
    75,
    /the volume is in use by .*EWOULDBLOCK \(stop that container/,
  );
  assert.deepEqual(machine.mounts(), before);
});

namespaceTest('unmount refuses while it is in use, and says by whom and what', async () => {
  await using machine = await imageMachine();
  await command(machine, ['mount']);
  const mounted = machine.mounts();
  const hello = `${storePath('hello')}/bin/hello`;
  for (const [how, path] of [
    [`cd ${storePath('hello')}; sleep 1000 &`, storePath('hello')],
    [`sleep 1000 <${hello} &`, hello],
    ['sleep 1000 </nix/var/nix/db/db.sqlite &', '/nix/var/nix/db/db.sqlite'],
    ['cp /bin/sleep /nix/store/sleep; /nix/store/sleep 1000 &', '/nix/store/sleep'],
  ] as const) {
    const script = `${how} cd /; "$NCI" unmount; echo "exit $?"; "$NCI" unmount --json; kill $!; wait`;
    const { stdout, stderr } = await hookScript(machine, script);
    const [table = '', json = ''] = stdout.split('exit 75\n');
    assert.match(table, new RegExp(`^ +PID  NAME +USES\\n +\\d+  s(leep|h) +${path}\\n$`), stdout + stderr);
    const { unmounted, users } = JSON.parse(json);
    assert.deepEqual([unmounted, users.length, users[0].path], [[], 1, path]);
    assert.match(
      stderr,
      new RegExp(
        `^nix-cache-init: mount: /nix/store is in use by s\\w+ \\(PID \\d+, ${path}\\): EBUSY \\(.*--lazy\\)$`,
        'm',
      ),
    );
    assert.deepEqual(machine.mounts(), mounted);
  }
  assert.deepEqual(await command(machine, ['unmount']), nothing);
});

namespaceTest('what uses the pristine store under it keeps nothing from being unmounted', async () => {
  await using machine = await imageMachine();
  const script = `cd ${storePath('hello')}; sleep 1000 & cd /; "$NCI" mount && "$NCI" unmount; echo $?; kill $!; wait`;
  assert.deepEqual(await hookScript(machine, script), { ...nothing, stdout: '0\n' });
});

namespaceTest('who uses it in a mount namespace of his own is seen, too', async () => {
  await using machine = await imageMachine();
  const script = `"$NCI" mount; unshare --mount sh -c 'cd ${storePath('hello')}; exec sleep 1000' & p=$!
    until [ "$(cat /proc/$p/comm)" = sleep ]; do :; done
    "$NCI" unmount; echo "exit $?"; kill $p; wait; "$NCI" unmount; echo "exit $?"`;
  const { stdout } = await hookScript(machine, script);
  assert.match(stdout, /^ +PID {2}NAME +USES\n +\d+ {2}sleep +\S+-hello\nexit 75\nexit 0\n$/);
});

namespaceTest('another mount on it is named', async () => {
  await using machine = await imageMachine();
  await command(machine, ['mount']);
  const script = `mount -t tmpfs mine ${storePath('hello')}; "$NCI" unmount; echo "exit $?"; umount ${storePath('hello')}`;
  const { stdout, stderr } = await hookScript(machine, script);
  assert.match(stdout, /^ +PID {2}NAME +USES\n +- {2}tmpfs mount +\S+-hello\nexit 75\n$/, stderr);
  assert.deepEqual(await command(machine, ['unmount']), nothing);
});

namespaceTest('--lazy detaches; the volume stays locked until the last user has ended', async () => {
  await using machine = await imageMachine();
  const before = machine.mounts().filter((line) => !line.startsWith('/proc '));
  const script = `"$NCI" mount; cd ${storePath('hello')}; sleep 1000 & cd /; "$NCI" unmount --lazy; echo "lazy $?"
    "$NCI" mount; echo "again $?"; kill $!; wait; "$NCI" mount; echo "now $?"; "$NCI" unmount; echo "back $?"`;
  const { stdout, stderr } = await hookScript(machine, script);
  assert.equal(stdout, 'lazy 0\nagain 75\nnow 0\nback 0\n', stderr);
  assert.match(stderr, /the volume is in use by .*while processes use what was mounted, it stays/);
  assert.deepEqual(machine.mounts(), before);
});

namespaceTest('killed midway, the next mount or unmount puts it right', async () => {
  await installCommands({ strace: 'strace' });
  await using machine = await imageMachine();
  const before = machine.mounts();
  const calls = ['flock', 'mount', 'ftruncate'];
  const hits = await atGrowingDepth(calls, async (call, n) => {
    await machine.shell('find nix-cache run/nix-cache-init -mindepth 1 -delete');
    const outcome = await command(machine, ['mount'], { via: sendAt(call, n, 'KILL') });
    const where = `KILL at call ${n} of ${call}`;
    // Every other time straight away with the one, or first with the other.
    if (n % 2 === 0) assert.deepEqual(await command(machine, ['unmount']), nothing, where);
    const again = await command(machine, ['mount']);
    assert.equal(again.exitCode, 0, `${where}: ${again.stderr}`);
    assert.deepEqual(overlays(machine), ['/nix/store overlay'], where);
    assert.deepEqual(await command(machine, ['unmount']), nothing, where);
    assert.deepEqual(machine.mounts(), before, where);
    return outcome;
  });
  assert.ok(hits > calls.length, String(hits));
});

namespaceTest('an unmount that is killed midway is finished by the next one, and by mount', async () => {
  await installCommands({ strace: 'strace' });
  await using machine = await imageMachine();
  const before = machine.mounts();
  const hits = await atGrowingDepth(['umount2', 'rename'], async (call, n) => {
    await command(machine, ['mount']);
    const outcome = await command(machine, ['unmount'], { via: sendAt(call, n, 'KILL') });
    const where = `KILL at call ${n} of ${call}`;
    if (n % 2 === 0) {
      const again = await command(machine, ['mount']);
      assert.equal(again.exitCode, 0, `${where}: ${again.stderr}`);
    }
    assert.deepEqual(await command(machine, ['unmount']), nothing, where);
    assert.deepEqual(machine.mounts(), before, where);
    return outcome;
  });
  assert.ok(hits > 3, String(hits));
});

namespaceTest('TERM ends a mount with nothing left mounted', async () => {
  await installCommands({ strace: 'strace' });
  await using machine = await imageMachine();
  const before = machine.mounts();
  await atGrowingDepth(['mount', 'mkdir'], async (call, n) => {
    const outcome = await command(machine, ['mount'], { via: sendAt(call, n, 'TERM') });
    if (outcome.exitCode === 0) await command(machine, ['unmount']);
    assert.deepEqual(machine.mounts(), before, `TERM at call ${n} of ${call}`);
    return outcome;
  });
});

namespaceTest('an init in the same place does not take it for what a killed one has left', async () => {
  await using machine = await imageMachine();
  await command(machine, ['mount']);
  const mounted = machine.mounts();
  for (const access of ['read-write', 'read-only']) {
    const args = ['--access', access, ...overlay('true')];
    const outcome = await bootInNamespace(machine, { shared: true, args });
    assertFails(outcome, 75, /in use by \S+ \(nix-cache-init mount.*EWOULDBLOCK \(nix-cache-init unmount/);
    assert.deepEqual(machine.mounts(), mounted);
  }
});

namespaceTest('a store that an init has mounted is not for mount nor unmount', async () => {
  await using machine = await imageMachine();
  const script = `"$NCI" mount; echo "mount $?"; "$NCI" unmount; echo "unmount $?"`;
  const outcome = await bootInNamespace(machine, {
    args: overlay('sh', '-c', script),
    env: { NCI: '/opt/nix-cache-init/bin/nix-cache-init' },
  });
  assert.equal(outcome.stdout, 'mount 75\nunmount 75\n', outcome.stderr);
  assert.match(outcome.stderr, /the store here is in use by \S+ \(PID 1, /);
});

namespaceTest('a daemon that runs already is named, and nothing is mounted', async () => {
  await using machine = await imageMachine();
  const before = machine.mounts();
  const listen = `perl -MIO::Socket::UNIX -e 'unlink $ARGV[0]; $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die $!; print "up\\n"; close STDOUT; sleep 1000'`;
  const socket = '/nix/var/nix/daemon-socket/socket';
  const script = `{ ${listen} ${socket} & echo $! >/tmp/daemon; } | read up; "$NCI" mount; echo "exit $?"; kill $(cat /tmp/daemon)`;
  const listening = await hookScript(machine, script);
  assert.match(
    listening.stderr,
    /^nix-cache-init: daemon: a nix-daemon listens at \S+ already; .*: EBUSY \(systemctl stop nix-daemon/,
  );
  assert.match(listening.stdout, /exit 75/);
  const open = await hookScript(
    machine,
    'sleep 1000 </nix/var/nix/db/db.sqlite & "$NCI" mount; echo "exit $?"; kill $!',
  );
  assert.match(
    open.stderr,
    /^nix-cache-init: daemon: Nix's database is in use by sleep \(PID \d+, \S+db.sqlite\)/,
  );
  assert.equal(open.stdout, 'exit 75\n');
  assert.deepEqual(machine.mounts(), before);
});

namespaceTest('without the privilege it says which; for a strategy that mounts nothing, too', async () => {
  await using machine = await imageMachine();
  const via = 'exec setpriv --inh-caps -sys_admin --bounding-set -sys_admin "$@"';
  assertFails(await command(machine, ['mount'], { via }), 77, /CAP_SYS_ADMIN: EPERM/);
  for (const strategy of ['prefix', 'substituter', 'host', 'local-overlay', 'none'])
    assertFails(
      await command(machine, ['mount', `--strategy=${strategy}`]),
      78,
      /strategy \S+ is not one for mount/,
    );
});

namespaceTest('a reader mounts, too, beside a writer', async () => {
  await using machine = await imageMachine();
  await bootInNamespace(machine, { args: overlay('sh', '-c', 'echo old >/nix/store/old') });
  const before = machine.mounts();
  assert.deepEqual(await command(machine, ['mount', '--access=read-only']), nothing);
  assert.equal(readFileSync(machine.path('/nix/store/old'), 'utf8'), 'old\n');
  const writer = await bootInNamespace(machine, { via: apart, args: overlay('true') });
  assert.equal(writer.exitCode, 0, writer.stderr);
  assert.deepEqual(await command(machine, ['mount', '--access=read-only']), nothing);
  assert.deepEqual(await command(machine, ['unmount']), nothing);
  assert.deepEqual(machine.mounts(), before);
});

namespaceTest('wrong use ends with 64, --schema describes --json', async () => {
  await using machine = await imageMachine();
  assertFails(await command(machine, ['mount', 'twice']), 64, /unexpected argument twice/);
  assertFails(await command(machine, ['mount', '--lazy']), 64, /unknown flag --lazy/);
  assertFails(await command(machine, ['unmount', '--lasy']), 64, /did you mean --lazy/);
  const schema = JSON.parse((await command(machine, ['unmount', '--schema'])).stdout);
  assert.deepEqual(schema.required, ['unmounted', 'users']);
  await command(machine, ['mount']);
  const { stdout } = await command(machine, ['unmount', '--json']);
  const report = JSON.parse(stdout);
  assert.deepEqual(report.users, []);
  assert.ok(report.unmounted.includes('/nix/store'));
});

/** The same machine without what is mounted by us: as a container engine would give it to another container. */
const apart = `for m in $(tac /proc/self/mountinfo | cut -d' ' -f5 | grep -E '^/(nix|run|etc)/'); do umount "$m"; done
  mount -t tmpfs tmpfs /run; exec "$@"`;

/** Until somebody has tried to get the volume's lock: the one who waits. */
const waitForFlockTry = 'until pgrep -f "lock-timeout=5m" >/dev/null; do sleep 0.05; done; sleep 0.3';

const overlays = (machine: Machine): string[] => machine.mounts().filter((line) => line.endsWith(' overlay'));

async function imageMachine(options: MachineOptions = {}): Promise<Machine> {
  const machine = await makeMachine(options);
  await fillImage(machine, { rows: 40 });
  return machine;
}
