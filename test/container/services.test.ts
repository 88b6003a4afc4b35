import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ServiceSpec } from '../../src/config/services.ts';
import { type Container, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { build, builtPath } from '../harness/nix.ts';
import { fixtures } from '../harness/paths.ts';
import { acting, logged, said } from '../harness/services.ts';
import { makeVolume } from '../harness/volume.ts';

const programs = ['-v', `${join(fixtures, 'programs')}:/programs:ro`];

const withServices = (services: Record<string, ServiceSpec>) => ({
  NIX_CACHE_INIT_SERVICES: JSON.stringify(services),
  NIX_CACHE_INIT_LOG_LEVEL: 'info',
});

containerTest(
  'two services and nix-daemon run beside the command, and `docker stop` stops them last',
  async () => {
    await using volume = await makeVolume();
    const ask = ['-c', 'nix path-info --store daemon /nix/var/nix/gcroots/w >&2 && echo >&3; exec sleep 600'];
    const services = {
      web: {
        ...acting('web', 'on:TERM:0', 'socket:/run/web', 'notify:READY=1', 'stay'),
        ready: { notify: true as const },
      },
      // It needs the daemon before it is ready, so that one cannot come after it.
      asking: { command: 'sh', args: ask, ready: { fd: 3, timeout: '60s' } },
    };
    const env = withServices(services);
    await using container = await startIdle({ volume: volume.name, env, flags: programs });
    builtPath(await container.exec(build('c'), '--user', 'alice'));
    await docker('stop', container.name);
    assert.equal(await container.waitForEnd(), 143);
    const { stdout, stderr } = await container.logs();
    assert.equal(stdout, 'ready');
    assert.ok(said(stderr).includes('web got TERM'), stderr);
    const report = logged(stderr).at(-1);
    assert.equal(report?.msg, 'shutdown');
    const { services: times } = report['phases'] as { services: Record<string, number> };
    assert.deepEqual(Object.keys(times), ['asking', 'web', 'nix-daemon']);
    assert.deepEqual(report['killed'], []);
    assert.deepEqual(
      logged(stderr).filter(({ level }) => level >= 40),
      [],
    );
  },
);

containerTest('sd_notify on a read-only root keeps no mount busy at the end', async () => {
  await using volume = await makeVolume();
  const web = { ...acting('web', 'notify:READY=1', 'stay'), ready: { notify: true as const } };
  const flags = [...programs, '--read-only'];
  await using container = await startIdle({ volume: volume.name, env: withServices({ web }), flags });
  await docker('stop', container.name);
  assert.equal(await container.waitForEnd(), 143);
  const messages = logged((await container.logs()).stderr).map(({ msg }) => msg);
  assert.ok(messages.includes('service web is ready'), messages.join('\n'));
  assert.ok(!messages.includes('still in use, detaching'), messages.join('\n'));
});

/** A build that outlives five restarts of the daemon. */
const slow = `derivation {
  name = "slow"; system = builtins.currentSystem; builder = "/bin/busybox";
  args = [ "sh" "-c" "/bin/busybox sleep 6; echo slow >$out" ];
}`;

/**
 * Kills the daemon's main process five times, each time when the next one is there. Who works for a client is its child,
 * and stays: stopped first, it cannot have one more meanwhile.
 */
const killDaemon = `
my %workers;
sub nix { map { m{/(\\d+)} } grep { (readlink("$_/exe") // "") =~ m{/nix$} } glob "/proc/[0-9]*" }
sub parent { open(my $stat, "<", "/proc/$_[0]/stat") or return 0; (<$stat> =~ /.*\\) \\S (\\d+)/)[0] }
for my $round (1 .. 5) {
  my @main;
  until (@main = grep { parent($_) == 1 && !$workers{$_} } nix()) { select undef, undef, undef, 0.02 }
  kill "STOP", @main;
  for my $main (@main) { $workers{$_} = 1 for grep { parent($_) == $main } nix() }
  kill "KILL", @main;
  1 while grep { -e "/proc/$_" } @main;
  print "killed\\n";
}
`;

containerTest('nix-daemon, killed again and again while a client builds: the build goes on', async () => {
  await using volume = await makeVolume();
  await using container = await startIdle({ volume: volume.name, env: withServices({}) });
  const building = container.exec(['nix-build', '--expr', slow, '--no-out-link'], '--user', 'alice');
  await workerIsThere(container);
  const killed = await container.exec(['perl', '-e', killDaemon]);
  assert.equal(killed.stdout, 'killed\n'.repeat(5).trim(), killed.stderr);
  // Nobody listens at this moment, and the next start is seconds away: this client waits at the socket.
  builtPath(await container.exec(build('c'), '--user', 'alice'));
  builtPath(await building);
  await docker('stop', container.name);
  assert.equal(await container.waitForEnd(), 143);
  const lines = logged((await container.logs()).stderr);
  const loud = lines.filter(({ level }) => level >= 40).map(({ msg }) => msg);
  assert.deepEqual(loud, ['service nix-daemon ended with status 137, 5 times in a row; still trying']);
  assert.deepEqual(lines.at(-1)?.['killed'], []);
});

/** Until the build itself runs. */
async function workerIsThere(container: Container): Promise<void> {
  const busybox =
    'for (;;) { exit if grep { (readlink("$_/exe") // "") =~ m{/busybox$} } glob "/proc/[0-9]*" }';
  await container.exec(['timeout', '60', 'perl', '-e', busybox]);
}
