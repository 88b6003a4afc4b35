import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { checkAlone, killed, tamper, volumeRows } from '../harness/checking.ts';
import { collectAlone, collectIn, gc, goneOf, reportOf } from '../harness/collecting.ts';
import { assertFails } from '../harness/failureLine.ts';
import { upperNames, whiteoutsOf } from '../harness/localOverlay.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine, type NixMachine } from '../harness/nixMachine.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';

/** A volume with one package that a profile needs, and garbage, all registered in 2001. */
async function makeGround(): Promise<NixMachine & { kept: string; garbage: Record<string, string> }> {
  const nix = await makeNixMachine();
  const kept = await nix.build('d');
  const garbage = {
    big: await nix.build('big'),
    e: await nix.build('e'),
    'on-old': await nix.build('on-old'),
  };
  await nix.nix(`nix-env --profile /nix/var/nix/profiles/mine --set ${kept}`);
  tamper(nix, 'update ValidPaths set registrationTime = 1000000000');
  return { ...nix, kept, garbage };
}

const start = ({ machine }: NixMachine) => startRunningBoot(machine, { args: overlay(...idle) });

/** Says of a path when it was last read, on the volume. */
const readAt = (path: string, date: string): string =>
  `find /nix-cache/upper/${path.replace('/nix/store/', '')} -type f -exec touch -a -d ${date} {} +`;

const day = (lastUse: string): string => lastUse.slice(0, 10);

namespaceTest(
  'least recently used first, to a size or an age; roots, and all of the image, stay',
  async () => {
    await using nix = await makeGround();
    const { garbage, kept } = nix;
    const imageRows = Object.keys(volumeRows(nix));
    await using running = await start(nix);
    await running.shell(readAt(garbage['on-old'] ?? '', '2003-03-03'));
    await running.shell(readAt(garbage['big'] ?? '', '2005-05-05'));
    await running.shell(readAt(garbage['e'] ?? '', '2010-10-10'));
    const json = async (...flags: string[]) => reportOf(await collectIn(running, '--json', ...flags));

    // Measured as du(1) does.
    const before = upperNames(nix);
    const all = await json('--dry-run');
    const du = Number((await running.shell('du --summarize --block-size=1 /nix-cache/upper')).split('\t')[0]);
    assert.equal(all.before.bytes, du);
    assert.equal(all.before.paths, before.length);
    assert.equal(all.lastUseFrom, 'access times');
    assert.deepEqual(goneOf(all), ['on-old', 'big', 'e']);
    // What nix.conf keeps is Nix's affair.
    const drv = (path: string): boolean => path.endsWith('-d.drv');
    const without = ['env', 'NIX_CONFIG=keep-derivations = false', ...gc('--json', '--dry-run')];
    const drvs = reportOf(await running.exec(without))
      .deleted.map(({ path }) => path)
      .filter(drv);
    assert.equal(drvs.length, 1);
    assert.ok(!all.deleted.some(({ path }) => drv(path)));
    // What is read through the store is used now, and goes last.
    await running.shell(`cat ${garbage['big']}/big >/dev/null`);
    const reread = await json('--dry-run');
    assert.deepEqual(goneOf(reread), ['on-old', 'e', 'big']);
    const days = reread.deleted
      .filter(({ path }) => !path.endsWith('.drv'))
      .map(({ lastUse }) => day(lastUse));
    assert.deepEqual(days.slice(0, 2), ['2003-03-03', '2010-10-10']);
    assert.deepEqual(goneOf(await json('--dry-run', '--older-than', '7000d')), ['on-old']);
    assert.deepEqual(goneOf(await json('--dry-run', '--max-size', String(all.before.bytes - 1))), ['on-old']);
    assert.deepEqual(upperNames(nix), before, 'a dry run deletes nothing');

    const one = await json('--max-size', String(all.before.bytes - 1));
    assert.deepEqual(goneOf(one), ['on-old']);
    assert.equal(one.after.bytes, all.before.bytes - one.freed);
    // Not to be had: all goes that can, and it says what holds the rest.
    const outcome = await collectIn(running, '--json', '--max-size', '1K');
    assert.equal(outcome.exitCode, 1, outcome.stderr);
    const rest = reportOf(outcome);
    assert.deepEqual([goneOf(rest), rest.under], [['e', 'big'], false]);
    assert.deepEqual(rest.holders, [
      { root: '/nix/var/nix/profiles/mine-1-link', path: kept, bytes: rest.holders[0]?.bytes },
    ]);
    const closure = await running.shell(
      `cd /nix-cache/upper; du --total --block-size=1 --summarize $(nix-store -qR ${kept} | sed 's#.*/##' | xargs ls -d 2>/dev/null) | tail -1`,
    );
    assert.equal(rest.holders[0]?.bytes, Number(closure.split('\t')[0]));
    assert.match(
      (await collectIn(running, '--max-size', '1K')).stdout,
      /more than 1 KiB\nheld by:\n.*mine-1-link$/m,
    );

    assert.equal(await whiteoutsOf(nix), '');
    await running.shell('nix-store --verify --check-contents');
    const gone = [...one.deleted, ...rest.deleted].map(({ path }) => path);
    const left = (
      await running.shell('nix-store --query --requisites $(nix-store --gc --print-live); true')
    ).split('\n');
    assert.ok(left.includes(kept));
    assert.deepEqual(
      imageRows.filter((path) => !gone.includes(path)).length,
      Number(await running.shell('nix-store --gc --print-live | wc -l')),
    );
  },
);

namespaceTest(
  'what is being built stays, and so does what it needs; leftovers of killed builds go',
  async () => {
    await using nix = await makeGround();
    await using running = await start(nix);
    const slow = `derivation {
    name = "slow"; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/bin:/usr/bin";
    args = [ "-c" "until [ -e /go ]; do sleep 0.05; done; cat \${(import /packages.nix).e}/unique >$out" ]; }`;
    await running.shell(`rm -f /go; cat >/slow.nix <<'END'\n${slow}\nEND`);
    const building = running.attempt('nix-build /slow.nix --no-out-link');
    await running.shell('until ls /nix/store/*-slow.lock 2>/dev/null; do sleep 0.05; done');
    const half = '/nix/store/00000000000000000000000000000000-half';
    await running.shell(`mkdir /nix/store/tmp-1-0 ${half}; head -c 100000 /dev/zero >/nix/store/tmp-1-0/x`);
    const report = reportOf(await collectIn(running, '--json'));
    assert.deepEqual(goneOf(report).sort(), ['big', 'half', 'on-old']);
    assert.ok(report.before.bytes - report.after.bytes >= report.freed + 100_000);
    await running.shell('touch /go');
    const { exitCode, stderr } = await building;
    assert.equal(exitCode, 0, stderr);
    assert.equal(
      await running.shell('ls -d /nix/store/tmp-* /nix/store/*-slow.lock 2>/dev/null || true'),
      '',
    );
    await running.shell('nix-store --verify --check-contents');
  },
);

namespaceTest('one at a time; beside the container only where nobody has the volume', async () => {
  await using nix = await makeGround();
  const link = `ln -s ${nix.garbage['e']} /nix/var/nix/other; ln -s /nix/var/nix/other /nix/var/nix/gcroots/other`;
  await nix.nix(link);
  {
    await using running = await start(nix);
    const lock = '/run/nix-cache-init/gc.lock';
    const second = await running.exec(['flock', lock, ...gc()]);
    assertFails(
      second,
      75,
      /lock: garbage is being collected by .*: EWOULDBLOCK \(wait until that is done\)/,
    );
    assertFails(await collectAlone(nix), 75, /docker exec CONTAINER nix-cache-init gc/);
  }
  const names = readdirSync(nix.machine.path('/nix-cache/upper'));
  assert.deepEqual(readdirSync(nix.machine.path('/nix-cache/upper')), names);
  const report = reportOf(await collectAlone(nix, '--json'));
  // What a link on the volume leads to by way of the state directory, of which the image here has another.
  assert.deepEqual(goneOf(report).sort(), ['big', 'on-old']);
  assert.match(report.looked, /^the volume \/nix-cache over/);
  await nix.verify();
  assert.equal((await checkAlone(nix)).exitCode, 0);
  assert.deepEqual((await nix.nix(`ls -d ${nix.kept} ${nix.garbage['e']}`)).split('\n').length, 2);
});

namespaceTest('killed at any deletion nothing dangles, and the next one does the rest', async () => {
  await using nix = await makeGround();
  await using running = await start(nix);
  let kills = 0;
  for (const [call, n] of [
    ['unlinkat', 1],
    ['unlinkat', 4],
    ['pwrite64', 9],
    ['rename', 1],
  ] as const) {
    if ((await killed({ call, n }, 'nsenter', running.enter(gc()))) === 'killed') kills += 1;
    assert.equal((await running.exec([gc()[0] ?? '', 'check'])).exitCode, 0, `${call} ${n}`);
  }
  assert.ok(kills >= 2, `only ${kills} were killed`);
  reportOf(await collectIn(running, '--json'));
  assert.deepEqual(reportOf(await collectIn(running, '--json')).deleted, []);
  await running.shell(`nix-store --verify --check-contents; ls -d ${nix.kept}`);
});
