import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace, type NamespaceBoot, plain, startBoot } from '../harness/namespaceBoot.ts';
import type { Machine } from '../harness/namespaceMachine.ts';
import { fillImage, overlay } from '../harness/namespaceStore.ts';
import { openNamespaceTerminal } from '../harness/namespaceTerminal.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import {
  capability,
  capabilitySet,
  makeMachineWithUsers,
  showStatus,
  statusField,
  without,
} from '../harness/namespaceUsers.ts';

const as = (user: string, ...command: string[]): string[] => ['--user', user, ...plain(...command)];
const fourTimes = (id: number): string => `${id} ${id} ${id} ${id}`;

const specs: [spec: string, uid: number, gid: number, groups: string, home: string][] = [
  ['alice', 1000, 1001, '27 1001', '/home/alice'],
  ['1000', 1000, 1001, '27 1001', '/home/alice'],
  ['alice:extra', 1000, 27, '27', '/home/alice'],
  ['1000:4712', 1000, 4712, '4712', '/home/alice'],
  ['4711', 4711, 0, '0', '/'],
  ['4711:4712', 4711, 4712, '4712', '/'],
];

for (const [spec, uid, gid, groups, home] of specs) {
  namespaceTest(`--user ${spec} is uid ${uid}, gid ${gid}, groups ${groups}, HOME ${home}`, async () => {
    await using machine = await makeMachineWithUsers();
    const args = as(spec, 'sh', '-c', 'cat /proc/self/status; echo "Home: $HOME"');
    // The groups of whoever starts the test are not for the command.
    const via = 'exec setpriv --groups 5,6 "$@"';
    const { stdout, stderr } = await bootInNamespace(machine, { via, args });
    assert.equal(stderr, '');
    assert.equal(statusField(stdout, 'Uid'), fourTimes(uid));
    assert.equal(statusField(stdout, 'Gid'), fourTimes(gid));
    assert.equal(statusField(stdout, 'Groups'), groups);
    assert.equal(statusField(stdout, 'Home'), home);
    for (const set of ['Inh', 'Prm', 'Eff', 'Amb'] as const)
      assert.equal(capabilitySet(stdout, set), 0n, set);
  });
}

namespaceTest('the command cannot become root again', async () => {
  await using machine = await makeMachineWithUsers();
  const script = '$> = 0; $< = 0; ($<, $>) = (0, 0); $) = "0 0"; print "$< $> ", $) + 0';
  const { stdout } = await bootInNamespace(machine, { args: as('alice', 'perl', '-e', script) });
  assert.equal(stdout, '1000 1000 1001');
});

namespaceTest(
  'only HOME, and USER and LOGNAME where they are set, change; the rest byte for byte',
  async () => {
    await using machine = await makeMachineWithUsers();
    const show = ['perl', '-e', 'open(F, "/proc/self/environ"); local $/; print unpack("H*", <F>)'];
    const path = 'PATH=/usr/bin:/bin';
    const printed = (pair: string): string => `"$(printf '${pair}')"`;
    const boot = (user: string, ...pairs: string[]): NamespaceBoot => ({
      program: ['sh', '-c', `exec env -i ${[path, ...pairs].map(printed).join(' ')} "$@"`, 'sh', '/init'],
      args: as(user, ...show),
    });
    const hex = (...entries: string[]): string =>
      Buffer.from(`${entries.join('\0')}\0`, 'latin1').toString('hex');
    const odd = ['A=1', 'BYTES=\\377\\376', 'USERS=x', 'HOME=/root', 'EMPTY=', 'USER=root'];
    const named = await bootInNamespace(machine, boot('alice', ...odd));
    const kept = [path, 'A=1', 'BYTES=\xff\xfe', 'USERS=x'];
    assert.equal(named.stdout, hex(...kept, 'HOME=/home/alice', 'EMPTY=', 'USER=alice'), named.stderr);
    const nameless = await bootInNamespace(machine, boot('4711', ...odd));
    assert.equal(nameless.stdout, hex(...kept, 'HOME=/', 'EMPTY=', 'USER=root'), nameless.stderr);
    const homeless = await bootInNamespace(machine, boot('alice', 'LOGNAME=root'));
    assert.equal(homeless.stdout, hex(path, 'LOGNAME=alice', 'HOME=/home/alice'), homeless.stderr);
  },
);

const reopen = ['sh', '-c', 'echo again >/proc/self/fd/1 && echo errors >/proc/self/fd/2'];

namespaceTest('the standard streams are the user’s, so that they can be opened again', async () => {
  await using machine = await makeMachineWithUsers();
  const via = '{ "$@" 2>&3 | cat; } 3>&1 | cat';
  const handed = await bootInNamespace(machine, { via, args: as('alice', ...reopen) });
  assert.deepEqual(handed.stdout.split('\n').sort(), ['', 'again', 'errors'], handed.stderr);
  const asRoots = ['setpriv', '--reuid=1000', '--clear-groups', ...reopen];
  const kept = await bootInNamespace(machine, { via: '"$@" | cat', args: plain(...asRoots) });
  assert.match(kept.stderr, /Permission denied/);
});

namespaceTest('files and devices that were redirected to are not handed over', async () => {
  await using machine = await makeMachineWithUsers();
  writeFileSync(machine.path('/tmp/out'), '');
  const via = 'exec "$@" </dev/null >/tmp/out';
  const { stderr } = await bootInNamespace(machine, { via, args: as('alice', 'id', '-u') });
  assert.equal(readFileSync(machine.path('/tmp/out'), 'utf8'), '1000\n', stderr);
  assert.equal(statSync(machine.path('/tmp/out')).uid, 0);
  assert.equal(statSync(machine.path('/dev/null')).uid, 0);
});

namespaceTest('the terminal is the user’s, and job control works', async () => {
  await using machine = await makeMachineWithUsers();
  await using terminal = await openNamespaceTerminal(machine, {
    args: as(
      'alice',
      'sh',
      '-mic',
      'echo to the terminal >/dev/tty; echo again >"$(tty)"; echo "owner $(stat -c %u "$(tty)")"',
    ),
  });
  await terminal.waitFor(/to the terminal\r\nagain\r\nowner 1000\r\n/);
  assert.equal(await terminal.ended, 0);
});

namespaceTest('a working directory that only root may enter is kept', async () => {
  await using machine = await makeMachineWithUsers();
  chmodSync(machine.path('/root'), 0o700);
  const boot = { via: 'cd /root; exec "$@"', args: as('alice', 'readlink', '/proc/self/cwd') };
  assert.deepEqual(await bootInNamespace(machine, boot), { exitCode: 0, stdout: '/root\n', stderr: '' });
});

namespaceTest(
  'what the user may not execute is refused with 126, and what is not there with 127',
  async () => {
    await using machine = await makeMachineWithUsers();
    mkdirSync(machine.path('/opt/own'));
    writeFileSync(machine.path('/opt/own/program'), '#!/bin/sh\necho ran\n');
    chmodSync(machine.path('/opt/own/program'), 0o700);
    assertFails(await bootInNamespace(machine, { args: as('alice', '/opt/own/program') }), 126, /EACCES/);
    assert.equal((await bootInNamespace(machine, { args: as('root', '/opt/own/program') })).stdout, 'ran\n');
    assertFails(await bootInNamespace(machine, { args: as('alice', 'no-such-command') }), 127, /ENOENT/);
  },
);

namespaceTest(
  'init stays what it was, and still dies with its parent, for which the harness waits',
  async () => {
    await using machine = await makeMachineWithUsers();
    const idle = ['sh', '-c', 'echo ready; exec sleep 60'];
    const fields = ['Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs'];
    const seen: string[][] = [];
    for (const flags of [
      [],
      ['--user', 'alice', '--capabilities', '["CHOWN"]', '--no-new-privileges', 'yes'],
    ]) {
      await using booted = await startBoot(machine, { args: [...flags, ...plain(...idle)] });
      await booted.waitFor(/ready/);
      const { init } = booted;
      const look = (): string[] => {
        const status = readFileSync(`/proc/${init}/status`, 'latin1');
        return fields.map((field) => `${field} ${statusField(status, field)}`);
      };
      // The command may be heard before init has put back what it changed for it.
      for (let left = 50; seen[0] !== undefined && `${look()}` !== `${seen[0]}` && left > 0; left -= 1)
        await sleep(100);
      seen.push(look());
    }
    assert.deepEqual(seen[1], seen[0]);
  },
);

namespaceTest('an unknown user or group is refused with 78 before anything is mounted', async () => {
  await using machine = await makeMachineWithUsers({});
  await fillImage(machine);
  const refused = async (user: string, line: RegExp): Promise<void> =>
    assertUntouched(machine, ['--user', user], 78, line);
  await refused('alcie', /user.* alcie .*ENOENT \(.*alice/);
  await refused('alice:extar', /group extar .*ENOENT \(.*extra/);
  await refused('alice:', /user is "alice:".*allowed: NAME/);
  await refused('-1', /user -1 /);
});

namespaceTest('without /etc/passwd numbers work, and names are refused', async () => {
  await using machine = await makeMachineWithUsers();
  rmSync(machine.path('/etc/passwd'));
  rmSync(machine.path('/etc/group'));
  const { stdout } = await bootInNamespace(machine, { args: as('4711:4712', 'id', '-u') });
  assert.equal(stdout, '4711\n');
  assertFails(
    await bootInNamespace(machine, { args: as('alice', 'true') }),
    78,
    /alice in \/etc\/passwd: ENOENT \(give/,
  );
});

const asAlice = 'exec setpriv --reuid=1000 --regid=1001 --groups=27,1001 "$@"';

namespaceTest('an init that is not root runs a command as itself, and refuses others with 77', async () => {
  await using machine = await makeMachineWithUsers();
  const same = await bootInNamespace(machine, { via: asAlice, args: as('alice', 'id', '-u') });
  assert.deepEqual(same, { exitCode: 0, stdout: '1000\n', stderr: '' });
  const none = await bootInNamespace(machine, { via: asAlice, args: plain('id', '-u') });
  assert.deepEqual(none, same);
  for (const user of ['bob', 'root', 'alice:extra']) {
    const outcome = await bootInNamespace(machine, { via: asAlice, args: as(user, 'true') });
    assertFails(outcome, 77, /run: .*uid 1000.*: EPERM \(.*--user root/);
  }
});

namespaceTest(
  'without CAP_SETUID or CAP_SETGID it is refused with 77 before anything is mounted',
  async () => {
    await using machine = await makeMachineWithUsers({});
    await fillImage(machine);
    for (const name of ['setuid', 'setgid']) {
      const line = /run: .*EPERM \(.*--cap-add SETUID --cap-add SETGID/;
      await assertUntouched(machine, ['--user', 'alice'], 77, line, without(name));
    }
  },
);

namespaceTest('in a user namespace that maps the user it works', async () => {
  await using machine = await makeMachineWithUsers();
  const rootless = 'many';
  const { stdout, stderr } = await bootInNamespace(machine, { rootless, args: as('alice', ...showStatus) });
  assert.equal(stderr, '');
  assert.equal(statusField(stdout, 'Uid'), fourTimes(1000));
  assert.equal(statusField(stdout, 'Groups'), '27 1001');
  const list = ['--capabilities', '["CHOWN"]', ...as('alice', ...showStatus)];
  const limited = await bootInNamespace(machine, { rootless, args: list });
  assert.equal(capabilitySet(limited.stdout, 'Eff'), capability.chown, limited.stderr);
  assert.equal(capabilitySet(limited.stdout, 'Bnd'), capability.chown);
});

namespaceTest(
  'in a user namespace that maps nobody else it is refused with 77, and root is root',
  async () => {
    await using machine = await makeMachineWithUsers();
    const refused = await bootInNamespace(machine, { rootless: true, args: as('alice', 'true') });
    assertFails(refused, 77, /run: .*user namespace.*: EPERM \(.*subordinate/);
    const root = await bootInNamespace(machine, { rootless: true, args: as('root', 'id', '-u') });
    assert.deepEqual(root, { exitCode: 0, stdout: '0\n', stderr: '' });
  },
);

async function assertUntouched(
  machine: Machine,
  flags: string[],
  exitCode: number,
  line: RegExp,
  via = 'exec "$@"',
): Promise<void> {
  const before = machine.mounts();
  const outcome = await bootInNamespace(machine, { shared: true, via, args: [...flags, ...overlay('true')] });
  assertFails(outcome, exitCode, line);
  assert.deepEqual(machine.mounts(), before);
  assert.throws(() => statSync(machine.path('/nix-cache/upper')), { code: 'ENOENT' });
}
