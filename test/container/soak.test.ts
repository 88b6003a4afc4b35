import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration } from '../../src/config/units.ts';
import { startContainer, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { assertNothingBuilt, assertStoreIsSound, build, builtPath } from '../harness/nix.ts';
import { holdersOf, initOf, type Process, processesBeside, vitalsOf } from '../harness/soak/census.ts';
import { DaemonKiller, daemonOf } from '../harness/soak/daemonKiller.ts';
import { ExecStorm } from '../harness/soak/execStorm.ts';
import { makeLoad } from '../harness/soak/load.ts';
import { Random } from '../harness/soak/random.ts';
import { SignalStorm } from '../harness/soak/signals.ts';
import { makeVolume } from '../harness/volume.ts';

const duration = parseDuration(process.env['NCI_TEST_SOAK'] ?? '45s') ?? 45_000;
const seed = Number(process.env['NCI_TEST_SEED'] ?? Date.now() % 1_000_000);
const ROUND_MS = 9_000;
/**
 * What init may take more than after the first round. V8's heap grew by 2.3 MB over twelve rounds and was steady from
 * the third on. A leak of 100 bytes for each process reaped takes 4 MB in the default 45 s.
 */
const MORE_KB = 4 * 1024;

containerTest(
  'under processes, signals, `docker exec` storms and a dying daemon nothing is lost and nothing grows',
  async () => {
    console.log(`NCI_TEST_SEED=${seed}`);
    const random = new Random(seed);
    await using volume = await makeVolume();
    await using load = await makeLoad(seed);
    await using container = await startContainer({ volume: volume.name, ...load });
    await container.waitForLog(/^ready$/m);
    const path = builtPath(await container.exec(build('c'), '--user', 'alice'));

    const init = await initOf(container.name);
    const killer = new DaemonKiller(init, random);
    const signals = new SignalStorm(init, load, random);
    const execs = new ExecStorm(container, killer, random, path);
    const rounds = Math.max(2, Math.round(duration / ROUND_MS));
    const vitals: ReturnType<typeof vitalsOf>[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const until = Date.now() + ROUND_MS;
      await Promise.all([killer, signals, execs].map((storm) => storm.run(until)));
      await load.rest();
      await signals.settle();
      assert.deepEqual(await zombiesLeft(init), [], `round ${round}`);
      assert.deepEqual(execs.faults, []);
      vitals.push(vitalsOf(init));
      await load.resume();
    }
    const done = {
      orphans: load.orphans(),
      stopped: load.stopped(),
      signals: signals.sent,
      execs: execs.runs,
      kills: killer.kills,
    };
    console.log(JSON.stringify({ ...done, builds: execs.builds, queries: execs.queries, vitals }));
    assertLoad(done, rounds);

    await load.rest();
    const hash = await container.exec(['nix-store', '--query', '--hash', path], '--user', 'alice', ...remote);
    assert.match(hash.stdout, /^sha256:/, hash.stderr);
    assertNothingBuilt(await container.exec(build('c'), '--user', 'alice', ...remote));
    assert.ok(daemonOf(init), 'a daemon runs');
    const [first] = vitals;
    const last = vitalsOf(init);
    assert.ok(first);
    assert.ok(
      last.descriptors <= first.descriptors + 1,
      `${first.descriptors} fds became ${last.descriptors}`,
    );
    assert.equal(last.threads, first.threads);
    assert.ok(last.kilobytes <= first.kilobytes + MORE_KB, `${first.kilobytes} KB became ${last.kilobytes}`);

    await load.resume();
    await docker('kill', '-s', 'TERM', container.name);
    assert.equal(await container.waitForEnd(), 42);
    assert.deepEqual(holdersOf(volume.name), []);
    const lock = await volume.shell('flock --nonblock /nix-cache/.nix-cache-init/lock true');
    assert.equal(lock.exitCode, 0, lock.stderr);
    await using next = await startIdle({ volume: volume.name });
    assertNothingBuilt(await next.exec(build('c')));
    await assertStoreIsSound(next);
  },
  duration * 4 + 300_000,
);

containerTest(
  'under a PID 1 that does not wait for them the same load leaves zombies, which are seen',
  async () => {
    await using load = await makeLoad(seed);
    await using container = await startContainer({
      grant: 'nothing',
      flags: [...load.flags, '--entrypoint', 'sh'],
      before: ['-c', '"$@" & exec sleep 60', 'sh'],
      command: load.command,
    });
    await container.waitForLog(/^ready$/m);
    await sleep(2000);
    await load.rest();
    assert.notDeepEqual(await zombiesLeft(await initOf(container.name)), []);
  },
);

const remote = ['-e', 'NIX_REMOTE=daemon'];

/** Those that are still there after a second (DESIGN §7.1). */
async function zombiesLeft(init: number): Promise<Process[]> {
  for (const deadline = Date.now() + 1000; ; await sleep(20)) {
    const zombies = processesBeside(init).filter(({ state }) => state === 'Z');
    if (zombies.length === 0 || Date.now() > deadline) return zombies;
  }
}

type Done = { orphans: number; stopped: number; signals: number; execs: number; kills: number };

/** That there was a load at all: a test that did nothing would find nothing. */
function assertLoad(done: Done, rounds: number): void {
  const least: Done = { orphans: 180, stopped: 3, signals: 120, execs: 6, kills: 0.3 };
  for (const [what, count] of Object.entries(least)) {
    const reached = done[what as keyof Done];
    assert.ok(reached >= count * rounds, `only ${reached} ${what} in ${rounds} rounds`);
  }
}
