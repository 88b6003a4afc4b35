import assert from 'node:assert/strict';
import {
  bootLocalOverlay,
  daemonIdle,
  startLocalOverlay,
  upperNames,
  whiteoutsOf,
} from '../harness/localOverlay.ts';
import { forEachLocalOverlay } from '../harness/localOverlaySuites.ts';
import { type LowerDaemon, startLowerDaemon } from '../harness/lowerDaemon.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { buildLine, packagesBuilt } from '../harness/nix.ts';
import type { NixMachine } from '../harness/nixMachine.ts';
import type { Outcome } from '../harness/run.ts';

// Another nix-daemon, over a store of its own, as the lower store (`lowerStore`). The image is A; the lower store that of C,
// which has c and d.

forEachLocalOverlay((check) => {
  tests((what, act, at) =>
    check(what, async (nix) => {
      await using lower = await startLowerDaemon(nix, 'C', at);
      await act({ nix, lower });
    }),
  );
});

type Scene = { nix: NixMachine; lower: LowerDaemon };

const boot = ({ nix, lower }: Scene, script: string, ...flags: string[]): Promise<Outcome> =>
  bootLocalOverlay(nix, script, ['--lower-store', lower.uri, ...flags]);

const built = ({ stderr }: Outcome): string[] => packagesBuilt(stderr);

function assertGood(outcome: Outcome): string[] {
  assert.equal(outcome.exitCode, 0, `${outcome.stdout}\n${outcome.stderr}`);
  return outcome.stdout.trim().split('\n');
}

function tests(check: (what: string, act: (scene: Scene) => Promise<void>, at?: string) => void): void {
  check('its paths, the image’s and those that are built are one store', async (scene) => {
    const first = await boot(scene, `${buildLine('d', 'old', 'mixed')}; nix-store --verify --check-contents`);
    assertGood(first);
    assert.deepEqual(built(first), ['mixed', 'on-old']);
    assert.deepEqual(await whiteoutsOf(scene.nix), '');
    const again = await boot(scene, buildLine('mixed'));
    assertGood(again);
    assert.deepEqual(built(again), []);
  });

  check('of what both have, the image’s is seen, whole and nothing of the other', async (scene) => {
    const { nix } = scene;
    const b = (await nix.machine.shell('ls other/store | grep -- -b$')).trim();
    await nix.machine.shell(`chmod u+w other/store/${b}; touch other/store/${b}/more`);
    const outcome = await boot(
      scene,
      `ls /nix/store/${b}; ${buildLine('d')} >&2; nix-store --verify --check-contents`,
    );
    assert.deepEqual(assertGood(outcome), ['share']);
  });

  check(
    'directories with signs that mean something in a URI',
    async (scene) => {
      const outcome = await boot(scene, `${buildLine('d')}; nix-store --verify --check-contents`);
      assertGood(outcome);
      assert.deepEqual(built(outcome), []);
    },
    '/o t+h&e=r%41',
  );

  check(
    'away at boot: refused, or the next strategy, and nothing of what was made of it is lost',
    async (scene) => {
      const { lower } = scene;
      const [mixed = ''] = assertGood(await boot(scene, buildLine('mixed')));
      await lower.kill();
      const refused = await boot(scene, 'true');
      assert.equal(refused.exitCode, 78);
      assert.match(
        refused.stderr,
        /^nix-cache-init: daemon: the socket of the lower store's daemon, \/run\/other\/socket, has nobody who listens: ECONNREFUSED \(.*docker run -v .*:\/run\/other\)$/m,
      );
      const without = await boot(
        scene,
        `! nix-store --check-validity ${mixed}; ${buildLine('on-old')}`,
        '--on-unsupported',
        'fallback',
      );
      assertGood(without);
      assert.deepEqual(built(without), [], 'what is not made of it is there');
      assert.match(without.stderr, /has nobody who listens.*going on with strategy overlay/);
      await lower.start();
      const back = await boot(scene, buildLine('mixed', 'd'));
      assert.equal(assertGood(back)[0], mixed);
      assert.deepEqual(built(back), []);
    },
  );

  check('wedged at boot: refused in time, and taken again when it goes on', async (scene) => {
    const { lower } = scene;
    lower.signal('SIGSTOP');
    const refused = await boot(scene, 'true');
    assert.equal(refused.exitCode, 78);
    assert.match(
      refused.stderr,
      /daemon, \/run\/other\/socket, does not answer within 1000 ms: ETIMEDOUT \(restart the daemon of the lower store\)$/m,
    );
    lower.signal('SIGCONT');
    assert.deepEqual(built(await boot(scene, buildLine('d'))), []);
  });

  check(
    'dies later and comes back: what is known goes on, what is not says why, and works again',
    async (scene) => {
      const { nix, lower } = scene;
      await using running = await startLocalOverlay(nix, '--lower-store', lower.uri);
      await running.shell(buildLine('c'));
      await lower.kill();
      // Both are in the database: one was asked for, the other is the image's. Their contents are where they were.
      const known = await running.attempt(`cat $(${buildLine('c')})/b; ${buildLine('old')}`);
      assert.equal(known.exitCode, 0, known.stderr);
      const unknown = await running.attempt(buildLine('side'));
      assert.notEqual(unknown.exitCode, 0);
      assert.match(unknown.stderr, /cannot connect to socket at '\/run\/other\/socket': Connection refused/);
      await lower.start();
      const again = await running.attempt(buildLine('side', 'e'));
      assert.deepEqual(built(again), ['e']);
      assert.equal(again.exitCode, 0, again.stderr);
    },
  );

  check('collecting garbage leaves it alone', async (scene) => {
    const { nix, lower } = scene;
    await using running = await startLocalOverlay(nix, '--lower-store', lower.uri);
    const [mixed = '', d = ''] = (await running.shell(buildLine('mixed', 'd'))).split('\n');
    const before = await lower.shell('nix-store --gc --print-live; ls /other/store');
    await running.shell(`rm -rf /tmp/*; ${daemonIdle}; nix-collect-garbage`);
    assert.deepEqual(upperNames(nix), []);
    assert.equal(await whiteoutsOf(nix), '');
    assert.equal(await lower.shell('nix-store --gc --print-live; ls /other/store'), before);
    await running.shell(`nix-store --check-validity ${d}; test -e ${d}/c; ! test -e ${mixed}`);
  });

  check('the strategy overlay on the same volume, and back', async (scene) => {
    const { nix } = scene;
    const [mixed = ''] = assertGood(await boot(scene, buildLine('mixed')));
    const overlay = ['--strategy', 'overlay', '--on-unsupported', 'fail', '--', 'sh', '-euc'];
    const between = await bootInNamespace(nix.machine, {
      args: [...overlay, `${buildLine('e')}; nix-store --verify --check-contents`],
    });
    assertGood(between);
    const back = await boot(scene, `${buildLine('mixed', 'e')}; nix-store --verify --check-contents`);
    assert.equal(assertGood(back)[0], mixed);
    assert.deepEqual(built(back), []);
  });

  check('check says that all is well, and repairs nothing', async (scene) => {
    const { nix, lower } = scene;
    await using running = await startLocalOverlay(nix, '--lower-store', lower.uri);
    await running.shell(buildLine('mixed'));
    const flags = `--strategy local-overlay --lower-store '${lower.uri}'`;
    const said = await running.shell(
      `/opt/nix-cache-init/bin/nix-cache-init check ${flags} --repair --contents`,
    );
    assert.match(said, /nothing wrong; nothing repaired$/);
  });

  const refused: [string, string[], number, RegExp][] = [
    [
      'no directory of that name',
      ['unix:///run/other/socket?real=/none'],
      78,
      /\/none, of lowerStore, does not exist: ENOENT/,
    ],
    [
      'no directory',
      ['unix:///run/other/socket'],
      78,
      /lowerStore is "unix:.* in flag --lower-store: EINVAL \(allowed: .*real=/,
    ],
    ['no daemon', ['local?root=/other'], 78, /lowerStore is "local/],
    [
      'a strategy that would ignore it',
      ['unix:///run/other/socket?real=/other/store', '--strategy', 'overlay'],
      78,
      /^nix-cache-init: config: lowerStore is set in flag --lower-store, but strategy is overlay \(flag --strategy\), .*: EINVAL \(set strategy=local-overlay, or remove lowerStore\)$/m,
    ],
    ['our own daemon', ['unix:///nix/var/nix/daemon-socket/socket?real=/other/store'], 78, /ELOOP/],
    [
      'a reader',
      ['unix:///run/other/socket?real=/other/store', '--access', 'read-only'],
      78,
      /access=read-write only/,
    ],
  ];
  for (const [what, flags, exitCode, message] of refused) {
    check(`refused: ${what}`, async (scene) => {
      const outcome = await boot(scene, 'true', '--lower-store', ...flags);
      assert.equal(outcome.exitCode, exitCode);
      assert.match(outcome.stderr, message);
    });
  }
}
