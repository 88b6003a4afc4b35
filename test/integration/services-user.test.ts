import assert from 'node:assert/strict';
import { assertFails } from '../harness/failureLine.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeMachineWithUsers } from '../harness/namespaceUsers.ts';
import { acting, logged, said, serving } from '../harness/services.ts';

const whoAmI = 'echo "$(id -u) $(id -g) $(id -G) $HOME $USER $(grep CapPrm /proc/self/status | cut -f2)" >&2';
const shell = (script: string, user?: string) => ({
  command: 'sh',
  args: ['-c', script],
  restart: 'never' as const,
  ...(user === undefined ? {} : { user }),
});

namespaceTest('a service runs as its user, others as init, and the command as it was told', async () => {
  await using machine = await makeMachineWithUsers();
  // The order of starts is that of their ends here: each is ready when the one before has written its line.
  const services = {
    theirs: { ...shell(`${whoAmI}; echo >&3`, 'alice'), ready: { fd: 3 } },
    numbered: { ...shell(`${whoAmI}; echo >&3`, '4711:4712'), ready: { fd: 3 } },
    ours: { ...shell('echo "$(id -u) $HOME $USER" >&2; echo >&3'), ready: { fd: 3 } },
  };
  const flags = ['--strategy=none', '--log-level=silent', `--services=${JSON.stringify(services)}`];
  const { exitCode, stderr } = await bootInNamespace(machine, {
    args: [...flags, '--user=bob', '--', 'sh', '-c', 'echo "$(id -u) $HOME $USER" >&2'],
    env: { USER: 'root' },
  });
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(said(stderr), [
    '1000 1001 1001 27 /home/alice alice 0000000000000000',
    '4711 4712 4712 / root 0000000000000000',
    '0 /root root',
    '1002 /home/bob bob',
  ]);
});

namespaceTest('it keeps its user over restarts, and cannot become root again', async () => {
  await using machine = await makeMachineWithUsers();
  await machine.shell('mkfifo -m 666 tmp/done; cp -r programs/service.pl tmp');
  const back = 'perl -e \'$< = 0; $> = 0; print STDERR "$< $>\\n"\'';
  const again = `id -u >&2; ${back}; if [ -e /tmp/died ]; then echo >/tmp/done; exec sleep 100; fi; >/tmp/died; exit 3`;
  const services = { web: { ...shell(again, 'alice'), restart: 'always' as const } };
  await machine.shell('chmod 1777 tmp');
  const flags = ['--strategy=none', `--services=${JSON.stringify(services)}`];
  const { stderr } = await bootInNamespace(machine, {
    args: [...flags, '--', 'sh', '-c', 'read -r line </tmp/done'],
  });
  assert.deepEqual(said(stderr), ['1000', '1000 1000', '1000', '1000 1000']);
});

namespaceTest('a service with a user can notify', async () => {
  await using machine = await makeMachineWithUsers();
  const web = { ...acting('web', 'notify:READY=1', 'stay'), user: 'alice', ready: { notify: true as const } };
  const args = ['--log-level=info', ...serving({ web })];
  const { exitCode, stderr } = await bootInNamespace(machine, { args });
  assert.equal(exitCode, 0, stderr);
  assert.ok(
    logged(stderr).some(({ msg }) => msg === 'service web is ready'),
    stderr,
  );
});

namespaceTest('an unknown user of a service is refused before anything is mounted', async () => {
  await using machine = await makeMachineWithUsers({ volume: 'tmpfs' });
  const services = { web: shell('exit 0', 'alicia') };
  const outcome = await bootInNamespace(machine, {
    args: ['--strategy=overlay', `--services=${JSON.stringify(services)}`, '--', 'true'],
    shared: true,
  });
  assertFails(outcome, 78, /services\.web\.user: there is no user alicia .*did you mean alice\?/);
  assert.deepEqual(
    machine.mounts().filter((line) => /nix\/(store|var)/.test(line)),
    [],
  );
});

namespaceTest('an init that is not root can run services only as itself', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const via = 'exec setpriv --reuid=4711 --regid=4711 --clear-groups "$@"';
  const as = (user: string): string[] => [
    '--strategy=none',
    `--services=${JSON.stringify({ web: shell('exit 0', user) })}`,
    ...['--', 'true'],
  ];
  assertFails(await bootInNamespace(machine, { via, args: as('0') }), 77, /cannot start a command as/);
  const same = await bootInNamespace(machine, { via, args: as('4711:4711') });
  assert.equal(same.exitCode, 0, same.stderr);
});
