import assert from 'node:assert/strict';
import { existsSync, lstatSync } from 'node:fs';
import {
  daemonIdle,
  daemonStore,
  imageStore,
  startLocalOverlay,
  upperNames,
  whiteoutsOf,
} from '../harness/localOverlay.ts';
import { forEachLocalOverlay } from '../harness/localOverlaySuites.ts';
import { type LowerDaemon, startLowerDaemon } from '../harness/lowerDaemon.ts';
import { buildLine } from '../harness/nix.ts';
import type { NixMachine } from '../harness/nixMachine.ts';
import type { RunningBoot } from '../harness/runningBoot.ts';

// Nix's own scenarios (tests/functional/local-overlay-store of NixOS/nix), by their names, against a container of ours: the image,
// or another daemon's store below it where the scenario changes the lower store, the volume, and the daemon that init starts.

/** What a scenario has: the machine, a running container, and the store of another daemon where it asked for one. */
type Scene = { nix: NixMachine; running: RunningBoot; lower: LowerDaemon };

forEachLocalOverlay((check) => {
  const overImage: Define<Omit<Scene, 'lower'>> = (scenario, act) =>
    check(scenario, async (nix) => {
      await using running = await startLocalOverlay(nix);
      await act({ nix, running });
    });
  const overDaemon: Define<Scene> = (scenario, act) =>
    check(scenario, async (nix) => {
      await using lower = await startLowerDaemon(nix, 'C');
      await using running = await startLocalOverlay(nix, '--lower-store', lower.uri);
      await act({ nix, running, lower });
    });
  scenarios(overImage, overDaemon);
});

/** As a person would, and as Nix's hook does. */
const remount = '/opt/nix-cache-init/bin/nix-cache-init remount /nix/store';

type Define<S> = (scenario: string, act: (scene: S) => Promise<void>) => void;

function scenarios(overImage: Define<Omit<Scene, 'lower'>>, overDaemon: Define<Scene>): void {
  const questions = (path: string, drv: string): string[] => [
    ...[`--requisites ${drv}`, `--referrers ${drv}`, `--deriver ${path}`, `--outputs ${drv}`],
    ...[`--references ${path}`, `--hash ${path}`, `--size ${path}`],
  ];

  overImage('check-post-init: the store agrees with the image', async ({ nix, running }) => {
    const path = await running.shell(buildLine('b'));
    const drv = await running.shell('nix-instantiate /packages.nix -A b 2>/dev/null');
    const name = nameOf(path);
    await running.shell(`diff -r ${path} /run/nix-cache-init/lower/store/${name}`);
    assert.ok(!existsSync(nix.machine.path(`/nix-cache/upper/${name}`)));
    for (const question of questions(path, drv)) {
      const ask = async (store: string) => sorted(await running.shell(`nix-store ${store} -q ${question}`));
      assert.deepEqual(await ask(''), await ask(imageStore), question);
    }
    const hash = name.slice(0, 32);
    for (const store of ['', imageStore]) {
      await running.shell(`nix-store ${store} --verify-path ${path}`);
      assert.equal(await running.shell(`nix store path-from-hash-part ${store} ${hash}`), path);
    }
  });

  overDaemon('check-post-init: the store agrees with another daemon, and has the image', async (scene) => {
    const { nix, running, lower } = scene;
    const path = await running.shell(buildLine('d'));
    const drv = await running.shell('nix-instantiate /packages.nix -A d 2>/dev/null');
    await running.shell(`diff -r ${path} ${lower.directory}/${nameOf(path)}`);
    assert.deepEqual(upperNames(nix), []);
    for (const question of questions(path, drv))
      assert.deepEqual(
        sorted(await running.shell(`nix-store -q ${question}`)),
        sorted(await lower.shell(`nix-store -q ${question}`)),
        question,
      );
    await running.shell(`nix-store --verify-path ${path}`);
    const hash = nameOf(path).slice(0, 32);
    assert.equal(await running.shell(`nix store path-from-hash-part ${hash}`), path);
    assert.match(await running.shell(buildLine('old')), /-old$/);
    assert.deepEqual(upperNames(nix), []);
  });

  overImage('redundant-add: what the image has is not added again', async ({ nix, running }) => {
    const content = await running.shell(buildLine('w'));
    await running.shell('nix-instantiate /packages.nix -A w -A b -A old');
    assert.deepEqual(upperNames(nix), []);
    // That the same does add what the image has not:
    await running.shell(`nix-store --add ${content}/w`);
    assert.equal(upperNames(nix).length, 1);
  });

  overDaemon('redundant-add: nor is what another daemon has', async ({ nix, running, lower }) => {
    await nix.machine.shell('echo dummy > dummy');
    const path = await lower.shell('nix-store --add /dummy');
    await running.shell(remount);
    assert.equal(await running.shell('nix-store --add /dummy'), path);
    assert.deepEqual(upperNames(nix), []);
    assert.equal(await running.shell(`cat ${path}`), 'dummy');
  });

  overImage('build: what is built is in the upper layer alone', async ({ nix, running }) => {
    const path = await running.shell(buildLine('d'));
    await assert.rejects(running.shell(`stat /run/nix-cache-init/lower/store/${nameOf(path)}`));
    assert.ok(upperNames(nix).includes(nameOf(path)));
    await running.shell(`nix-store --verify-path ${path}`);
  });

  overImage('bad-uris: Nix checks the mount, and finds ours right', async ({ running }) => {
    const uri = await daemonStore(running);
    const open = (store: string) =>
      running.attempt(
        `nix store info --extra-experimental-features 'local-overlay-store read-only-local-store' --store '${store}'`,
      );
    const right = await open(uri);
    assert.equal(right.exitCode, 0, right.stderr);
    const elsewhere = '/tmp/bad';
    await running.shell(`mkdir -p ${elsewhere}/nix/store`);
    const wrong = [
      uri.replace(/real=[^&]*/, `real=${elsewhere}`),
      // Encoded once, or twice.
      uri.replace(/(real%(?:25)?3D)[^&%]*/, `$1${elsewhere}`),
      uri.replace(/upper-layer=[^&]*/, `upper-layer=${elsewhere}`),
    ];
    assert.equal(new Set([uri, ...wrong]).size, 4);
    for (const store of wrong) {
      const { exitCode, stderr } = await open(store);
      assert.equal(exitCode, 1, store);
      assert.match(stderr, /overlay filesystem .* mounted incorrectly/);
    }
  });

  overDaemon('add-lower: what another daemon adds can be seen after a remount', async (scene) => {
    const { nix, running, lower } = scene;
    await nix.machine.shell('echo upper > upper-file; echo lower > lower-file');
    const own = await running.shell('nix-store --add /upper-file');
    const theirs = await lower.shell('nix-store --add /lower-file');
    await running.shell(`exec 3<${own}; ${remount}; test "$(cat <&3)" = upper`);
    assert.equal(await running.shell(`cat ${own} ${theirs}`), 'upper\nlower');
    await running.shell(`nix-store --check-validity ${own} ${theirs}`);
    assert.deepEqual(upperNames(nix), [nameOf(own)]);
  });

  overDaemon('delete-refs: what only the lower store needs can be deleted', async (scene) => {
    const { running, lower } = scene;
    const path = async (name: string): Promise<string> =>
      (await running.shell(buildLine(name))).split('\n').at(-1) ?? '';
    const [mixed, shared, own] = [await path('mixed'), await path('c'), await path('on-old')];
    for (const input of [shared, own])
      await assert.rejects(running.shell(`nix-store --delete ${input}`), /[Cc]annot delete path/);
    await assert.rejects(lower.shell(`nix-store --delete ${shared}`), /[Cc]annot delete path/);
    await running.shell(`${daemonIdle}; nix-store --delete ${mixed}`);
    await running.shell(`${daemonIdle}; nix-store --delete ${own}`);
    await running.shell(`${daemonIdle}; nix-store --delete ${shared}`);
    await lower.shell(`nix-store --check-validity ${shared}`);
  });

  overDaemon('delete-duplicate: only the copy in the upper layer goes', async ({ nix, running, lower }) => {
    await nix.machine.shell('echo twice > twice');
    const path = await running.shell('nix-store --add /twice');
    assert.equal(await lower.shell('nix-store --add /twice'), path);
    const inode = async (): Promise<string> => await running.shell(`stat -c %i ${path}`);
    const below = String(lstatSync(nix.machine.path(`${lower.directory}/${nameOf(path)}`)).ino);
    assert.notEqual(await inode(), below);
    await running.shell(`${daemonIdle}; nix-store --delete ${path}`);
    assert.deepEqual(upperNames(nix), []);
    assert.equal(await whiteoutsOf(nix), '');
    assert.equal(await inode(), below);
    assert.equal(await running.shell(`cat ${path}`), 'twice');
  });

  overImage('gc: frees the upper layer, and nothing of the image', async ({ nix, running }) => {
    const image = await running.shell(`nix-store -qR $(${buildLine('b', 'old')})`);
    const path = await running.shell(buildLine('d'));
    await running.shell(`ln -s ${path} /nix/var/nix/gcroots/kept`);
    assert.match(await running.shell(`nix-store -q --roots ${path}`), /gcroots\/kept -> /);
    const [live, dead] = [
      await running.shell('nix-store --gc --print-live'),
      await running.shell('nix-store --gc --print-dead'),
    ];
    assert.ok(live.split('\n').includes(path));
    assert.ok(!dead.split('\n').includes(path));
    for (const ofImage of image.split('\n')) assert.ok(!dead.split('\n').includes(ofImage), ofImage);
    await assert.rejects(running.shell(`nix-store --delete ${path}`), /[Cc]annot delete path/);
    await running.shell(`${daemonIdle}; nix-collect-garbage`);
    await running.shell(`test -e ${path}`);
    await running.shell(`rm /nix/var/nix/gcroots/kept; ${daemonIdle}; nix-collect-garbage`);
    assert.deepEqual(upperNames(nix), []);
    assert.equal(await whiteoutsOf(nix), '');
    await running.shell(`nix-store --check-validity ${image.replaceAll('\n', ' ')}`);
    const checked = await running.attempt('nix-store --verify --check-contents');
    assert.equal(checked.exitCode, 0, checked.stderr);
  });

  overDaemon('verify: what is wrong below is found, and repaired in the upper layer', async (scene) => {
    const { nix, running, lower } = scene;
    await nix.machine.shell('echo unseen > unseen; echo seen > seen; mkdir -p backup');
    const used = await lower.shell('nix-store --add /seen');
    await running.shell(`${remount}; nix-store --add /seen`);
    const drv = await running.shell('nix-instantiate /packages.nix -A c 2>/dev/null');
    const unseen = await lower.shell('nix-store --add /unseen');
    await running.shell('nix-store --verify --check-contents');
    await running.shell(`nix copy --to file:///backup ${used} ${drv}`);

    const inLower = (path: string): string => `.${lower.directory}/${nameOf(path)}`;
    await nix.machine.shell(`
      rm ${inLower(drv)}
      for file in ${inLower(used)} ${inLower(unseen)}; do chmod u+w $file; : >$file; done`);
    await running.shell(remount);
    const found = await running.attempt('nix-store --verify --check-contents');
    assert.equal(found.exitCode, 1);
    assert.match(found.stderr, new RegExp(`path '${drv}' disappeared, but it still has valid referrers`));
    assert.match(found.stderr, new RegExp(`path '${used}' was modified! expected hash`));
    assert.ok(!found.stderr.includes(unseen));

    const repair = 'nix-store --verify --check-contents --repair --option substituters file:///backup';
    const repaired = await running.attempt(`${repair} --option require-sigs false`);
    for (const path of [drv, used]) assert.match(repaired.stderr, new RegExp(`copying path '${path}'`));
    await running.shell('nix-store --verify --check-contents');
    assert.deepEqual(upperNames(nix), [nameOf(used), nameOf(drv)].sort());
  });

  overDaemon('optimise: what the lower store has come to have goes from the upper', async (scene) => {
    const { nix, running, lower } = scene;
    await nix.machine.shell('echo twice > twice; echo once > once');
    const [twice, once] = (await running.shell('nix-store --add /twice; nix-store --add /once')).split('\n');
    await lower.shell('nix-store --add /twice');
    await running.shell(`${remount}; nix-store --optimise`);
    assert.deepEqual(upperNames(nix), [nameOf(once ?? '')]);
    assert.equal(await whiteoutsOf(nix), '');
    assert.equal(await running.shell(`cat ${twice} ${once}`), 'twice\nonce');
  });

  overDaemon('stale-file-handle: our hook has the kernel forget what was deleted below it', async (scene) => {
    const { nix, running, lower } = scene;
    await nix.machine.shell('mkdir -p tree/sub; echo leaf > tree/sub/leaf');
    // The same tree is in both; what is collected goes from the upper directory past the overlay; and it comes again.
    const trigger = async (store: string): Promise<void> => {
      const add = `nix-store ${store} --add /tree`;
      const path = await running.shell(add);
      await lower.shell('nix-store --add /tree');
      await running.shell(`find ${path}; ${daemonIdle}; nix-store ${store} --delete ${path}`);
      await lower.shell(`nix-store --delete ${path}`);
      await running.shell(`${add}; cat ${path}/sub/leaf; ${daemonIdle}; nix-store ${store} --delete ${path}`);
    };
    const features = "--extra-experimental-features 'local-overlay-store read-only-local-store'";
    const without = (await daemonStore(running)).replace(/&remount-hook=[^&]*/, '');
    await assert.rejects(trigger(`${features} --store '${without}'`), /Stale file handle/);
    await running.shell(remount);
    await trigger('');
  });
}

const nameOf = (path: string): string => path.replace('/nix/store/', '');

const sorted = (text: string): string[] => text.split('\n').sort();
