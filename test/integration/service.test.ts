import assert from 'node:assert/strict';
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { assertFails } from '../harness/failureLine.ts';
import { command, hookScript } from '../harness/hook.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { fillImage } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { installCommands } from '../harness/packages.ts';
import { runOk } from '../harness/run.ts';

const unit = '/etc/systemd/system/nix-cache-init.service';
const wants = '/etc/systemd/system/sysinit.target.wants/nix-cache-init.service';

namespaceTest(
  'service install writes a unit that systemd has no complaint about, and enables it',
  async () => {
    await installCommands({ 'systemd-analyze': 'systemd' });
    await using machine = await makeMachine();
    const odd = '--cache-dir=/mnt/my $cache "100%"';
    const { exitCode, stdout, stderr } = await command(machine, ['service', 'install', odd]);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.equal(
      stdout,
      `wrote ${unit}\nwrote ${wants}\nnext: systemctl daemon-reload\nnext: systemctl start nix-cache-init\n`,
    );
    const path = machine.path(unit);
    assert.equal(statSync(path).mode & 0o7777, 0o644);
    assert.equal(readlinkSync(machine.path(wants)), '../nix-cache-init.service');
    const text = readFileSync(path, 'utf8');
    assert.doesNotMatch(text, /&\w+;|&#|\r|\{\{/);
    assert.match(
      text,
      /^ExecStart=\/opt\/nix-cache-init\/bin\/nix-cache-init mount "--cache-dir=\/mnt\/my \$\$cache \\"100%%\\""$/m,
    );
    for (const line of [
      'Type=oneshot',
      'RemainAfterExit=yes',
      'DefaultDependencies=no',
      'WantedBy=sysinit.target',
    ])
      assert.ok(text.split('\n').includes(line), line);
    assert.match(text, /^Before=.* nix-daemon\.socket nix-daemon\.service$/m);
    const verified = await hookScript(
      machine,
      `systemd-analyze verify ${unit} 2>&1 | grep nix-cache-init; true`,
    );
    assert.equal(verified.stdout, '');
    // That it would have complained.
    const broken = await hookScript(
      machine,
      `sed 's/^Type=.*/Type=sometimes/' ${unit} >/tmp/nix-cache-init.service
     systemd-analyze verify /tmp/nix-cache-init.service 2>&1 | grep nix-cache-init`,
    );
    assert.match(broken.stdout, /sometimes/);
  },
);

namespaceTest(
  'done twice it changes nothing; uninstall takes away what it wrote, and is done twice, too',
  async () => {
    await using machine = await makeMachine();
    await command(machine, ['service', 'install']);
    const before = statSync(machine.path(unit), { bigint: true }).mtimeNs;
    assert.equal((await command(machine, ['service', 'install'])).stdout, 'nothing to do\n');
    assert.equal(statSync(machine.path(unit), { bigint: true }).mtimeNs, before);
    const { stdout } = await command(machine, ['service', 'uninstall', '--json']);
    assert.deepEqual(JSON.parse(stdout), { changed: [wants, unit], next: ['systemctl daemon-reload'] });
    assert.equal(existsSync(machine.path(unit)) || existsSync(machine.path(wants)), false);
    assert.equal((await command(machine, ['service', 'uninstall'])).stdout, 'nothing to do\n');
  },
);

namespaceTest('print shows what install would write, and writes nothing', async () => {
  await using machine = await makeMachine();
  const printed = await command(machine, [
    'service',
    'print',
    '--config=/etc/hook.json',
    '--cache-dir',
    '/data',
  ]);
  // A file that is named has to be there.
  assertFails(printed, 78, /hook\.json/);
  const { stdout } = await command(machine, ['service', 'print', '--cache-dir', '/data']);
  assert.equal(existsSync(machine.path(unit)), false);
  await command(machine, ['service', 'install', '--cache-dir', '/data']);
  assert.equal(readFileSync(machine.path(unit), 'utf8'), stdout);
  assert.match(stdout, /^RequiresMountsFor=\/data$/m);
});

namespaceTest(
  'the script for System V init mounts and unmounts, and is linked into its run levels',
  async () => {
    await using machine = await makeMachine();
    await fillImage(machine, { rows: 10 });
    // What sysv-rc has: run levels, and update-rc.d of init-system-helpers.
    const levels =
      'mkdir -p etc/init.d etc/rcS.d etc/rc0.d etc/rc1.d etc/rc2.d etc/rc3.d etc/rc4.d etc/rc5.d etc/rc6.d';
    await machine.shell(levels);
    const { exitCode, stdout, stderr } = await command(machine, ['service', 'install', '--sysv']);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^wrote \/etc\/init\.d\/nix-cache-init\n/);
    const script = machine.path('/etc/init.d/nix-cache-init');
    assert.equal(statSync(script).mode & 0o7777, 0o755);
    assert.doesNotMatch(readFileSync(script, 'utf8'), /\r|\{\{/);
    await runOk('sh', ['-n', script]);
    const run = await hookScript(
      machine,
      `s=/etc/init.d/nix-cache-init; $s start && $s start && grep -c '^overlay /nix/store ' /proc/mounts
     $s restart && $s stop && ! grep '^overlay /nix/store ' /proc/mounts; echo "$?"; $s dance; echo "$?"`,
    );
    assert.equal(run.stdout, '1\n0\n64\n', run.stderr);
    await command(machine, ['service', 'uninstall', '--sysv']);
    assert.equal((await machine.shell('find etc/init.d etc/rc?.d -name "*nix-cache-init"')).trim(), '');
  },
);

namespaceTest('wrong use ends with 64, --schema describes --json', async () => {
  await using machine = await makeMachine();
  assertFails(await command(machine, ['service']), 64, /say one of install, uninstall, print/);
  assertFails(await command(machine, ['service', 'instal']), 64, /unknown action instal: EINVAL/);
  assertFails(await command(machine, ['service', 'print', 'twice']), 64, /unexpected argument twice/);
  assertFails(await command(machine, ['service', 'print', '--sysw']), 64, /--sysv/);
  const { stdout } = await command(machine, ['service', '--schema']);
  assert.deepEqual(JSON.parse(stdout).required, ['changed', 'next']);
});
