import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { collectAlone, collectIn, gc, goneOf, reportOf } from '../harness/collecting.ts';
import { assertFails } from '../harness/failureLine.ts';
import { daemonIdle, startLocalOverlay, upperNames, whiteoutsOf } from '../harness/localOverlay.ts';
import { bootInNamespace, plain } from '../harness/namespaceBoot.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';
import { cacheNames, isKept, makeSubstituterMachine } from '../harness/substituterMachine.ts';

const gcHere = gc('--json').join(' ');

namespaceTest('local-overlay: the daemon deletes, also on a full volume', async () => {
  await using nix = await makeNixMachine({ size: '64M' });
  await using running = await startLocalOverlay(nix);
  const build = (name: string): Promise<string> =>
    running.shell(`nix-build /packages.nix -A ${name} --no-out-link 2>/dev/null`);
  const [kept, big] = [await build('d'), await build('big')];
  await running.shell(`nix-env --profile /nix/var/nix/profiles/mine --set ${kept}; ${daemonIdle}`);
  await running.shell('cp /dev/zero /nix-cache/ballast 2>/dev/null || true');
  const report = reportOf(await collectIn(running, '--json'));
  assert.deepEqual(goneOf(report), ['big']);
  assert.equal(await running.shell(`ls -d ${big} 2>/dev/null || echo gone`), 'gone');
  assert.equal(await whiteoutsOf(nix), '');
  await running.shell(`nix-store --check-validity ${kept}; nix-store --verify`);
});

namespaceTest(
  'overlay: init collects once it runs over the size, and ends whenever it is told to',
  async () => {
    await using nix = await makeNixMachine();
    const big = await nix.build('big');
    const flags = ['--gc-max-size', '1M', '--gc-schedule', '1h', '--log-level', 'info'];
    {
      const boot = { args: [...flags, ...overlay(...idle)] };
      await using running = await startRunningBoot(nix.machine, boot);
      await running.booted.waitForError(
        /"deleted":1,"freed":\d+,"bytes":\d+,"paths":\d+,"msg":"garbage collected"/,
      );
      assert.equal(await running.shell(`ls -d ${big} 2>/dev/null || echo gone`), 'gone');
      assert.equal(
        await running.shell('nix-store --verify --check-contents; ls /nix-cache/.nix-cache-init/gc.json'),
        '/nix-cache/.nix-cache-init/gc.json',
      );
      // Its processes are gone, and were reaped.
      assert.equal(await running.shell("grep -l '^State:.Z' /proc/[0-9]*/status || true"), '');
    }
    const again = await nix.build('big');
    assert.equal(again, big);
    for (let round = 0; round < 3; round += 1) {
      const { exitCode, stderr } = await nix.boot(['true'], {});
      assert.equal(exitCode, 0, stderr);
      const ended = await bootInNamespace(nix.machine, { args: [...flags, ...overlay('true')] });
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.doesNotMatch(ended.stderr, /"level":[45]0/);
    }
    await nix.verify();
  },
);

namespaceTest('who reads the volume, has no cache, or the host’s store, is told so or served', async () => {
  await using nix = await makeNixMachine();
  await nix.build('big');
  const reads = ['--access', 'read-only', '--gc-max-size', '1K', '--log-level', 'info'];
  {
    await using reader = await startRunningBoot(nix.machine, { args: [...reads, ...overlay(...idle)] });
    assertFails(await collectIn(reader), 78, /this container only reads the volume: EROFS/);
  }
  assert.ok(upperNames(nix).some((name) => name.endsWith('-big')));
  for (const [flag, says] of [
    ['--max-size=20GB', /--max-size is no size: 20GB: EINVAL .*--max-size 20G/],
    ['--older-than=30', /--older-than is no time: 30: EINVAL .*--older-than 30d/],
    ['more', /unexpected argument more/],
    ['--dry-rum', /--dry-rum.*--dry-run/],
  ] as const)
    assertFails(await collectAlone(nix, flag), 64, says);
  assertFails(
    await collectAlone(nix, '--strategy', 'host'),
    78,
    /the host's, and so is its garbage.*nix-collect-garbage on the host/,
  );
  // The image's own store, in the container's layer: what Nix calls dead there.
  await nix.machine.shell('rm -rf nix-cache/* nix-cache/.nix-cache-init');
  const script = `nix-build /packages.nix -A big --no-out-link; ${gcHere} --strategy none >/report`;
  const { exitCode, stderr } = await bootInNamespace(nix.machine, { args: plain('sh', '-euc', script) });
  assert.equal(exitCode, 0, stderr);
  const stdout = await nix.machine.shell('cat report');
  assert.ok(goneOf(reportOf({ exitCode, stdout, stderr })).includes('big'));
});

namespaceTest('prefix: the store of the volume, and not the image’s', async () => {
  await using nix = await makeNixMachine({}, (...command) => [
    ...['--strategy', 'prefix', '--on-unsupported', 'fail', '--', ...command],
  ]);
  const script = `echo junk >/tmp/junk; path=$(nix-store --add /tmp/junk); ${gcHere} >/report; echo $path`;
  const { exitCode, stdout: path, stderr } = await nix.boot(['sh', '-euc', script]);
  assert.equal(exitCode, 0, stderr);
  const report = reportOf({ exitCode, stdout: await nix.machine.shell('cat report'), stderr });
  assert.deepEqual(
    report.deleted.map((one) => one.path),
    [path.trim()],
  );
  assert.equal(existsSync(nix.machine.path(`/nix-cache/root${path.trim()}`)), false);
});

namespaceTest('substituter: what neither the volume’s profiles need nor this container has', async () => {
  await using nix = await makeSubstituterMachine();
  const script =
    'nix-env --profile /nix/var/nix/profiles/mine --set $(nix-build /packages.nix -A d --no-out-link)';
  await nix.nix(`${script}; nix-build /packages.nix -A big -A e --no-out-link`);
  const [big, e] = [await pathOf('big'), await pathOf('e')];
  await nix.switchImage('A');
  // A container that has one of them again.
  const has = await nix.nix(`nix-build /packages.nix -A e --no-out-link >/dev/null 2>&1; ${gcHere}`);
  const inside = reportOf({ exitCode: 0, stdout: has, stderr: '' });
  assert.deepEqual(goneOf(inside), ['big']);
  assert.deepEqual([isKept(nix.machine, big), isKept(nix.machine, e)], [false, true]);
  await nix.switchImage('A');
  const alone = reportOf(await collectAlone(nix, '--json', '--strategy', 'substituter'));
  assert.deepEqual(goneOf(alone), ['e']);
  assert.equal(alone.holders[0]?.root, '/nix/var/nix/profiles/mine-1-link');
  // As many files as descriptions: nothing is left that nothing describes.
  const names = cacheNames(nix.machine);
  const count = (pattern: RegExp): number => names.filter((name) => pattern.test(name)).length;
  assert.equal(count(/^nar\/./), count(/\.narinfo$/));
  assert.deepEqual(reportOf(await collectAlone(nix, '--json', '--strategy', 'substituter')).deleted, []);
  const link = await nix.nix('cat /nix/var/nix/profiles/mine/unique');
  assert.match(link, /^[0-9a-f-]{36}$/);

  async function pathOf(name: string): Promise<string> {
    return await nix.nix(`nix-store -q --outputs $(nix-instantiate /packages.nix -A ${name} 2>/dev/null)`);
  }
});
