import assert from 'node:assert/strict';
import { copyFileSync, mkdtempDisposableSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import {
  bootLocalOverlay,
  daemonIdle,
  localOverlay,
  runLocalOverlay,
  startLocalOverlay,
  upperNames,
  whiteoutsOf,
} from '../harness/localOverlay.ts';
import { type CheckOn, forEachLocalOverlay } from '../harness/localOverlaySuites.ts';
import { bootInNamespace, startBoot } from '../harness/namespaceBoot.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { buildLine, packagesBuilt } from '../harness/nix.ts';
import { beginAnew, makeNixMachine } from '../harness/nixMachine.ts';

forEachLocalOverlay(tests);

function tests(check: CheckOn): void {
  check(
    'all ask the daemon, which alone has the store and the features, whatever NIX_CONFIG says',
    async (nix) => {
      const script = `
      test "$NIX_REMOTE" = daemon
      for command in 'nix store info --json' 'env -u NIX_REMOTE nix store info --json'; do $command; echo; done
      nix config show experimental-features
      echo ca: $(nix eval --expr 'builtins ? fetchClosure')
      ${buildLine('c')}`;
      const NIX_CONFIG = 'store = daemon\nextra-experimental-features = fetch-closure';
      const said = await runLocalOverlay(nix, script, [], { env: { NIX_CONFIG } });
      const [bound, file, features, closure, path] = said.split('\n').filter((line) => line !== '');
      for (const info of [bound, file]) assert.equal(JSON.parse(info ?? '').url, 'daemon');
      assert.match(features ?? '', /fetch-closure.*flakes|flakes.*fetch-closure/);
      assert.doesNotMatch(features ?? '', /local/);
      assert.equal(closure, 'ca: true');
      assert.match(path ?? '', /-c$/);
    },
  );

  check('strategies take turns on a volume, and nothing is lost', async (nix) => {
    const turns = [
      ['overlay', 'c'],
      ['local-overlay', 'd'],
      ['overlay', 'e'],
      ['local-overlay', 'on-old'],
    ] as const;
    const made: string[] = [];
    for (const [strategy, name] of turns) {
      const flags = [
        '--strategy',
        strategy,
        '--on-unsupported',
        'fail',
        '--daemon-enabled',
        strategy === 'overlay' ? 'no' : 'auto',
      ];
      const script = `${made.map((path) => `nix-store --check-validity ${path}; test -e ${path}`).join('\n')}
        ${buildLine(name)}; nix-store --verify --check-contents`;
      const { exitCode, stdout, stderr } = await bootInNamespace(nix.machine, {
        args: [...flags, '--', 'sh', '-euc', script],
      });
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, new RegExp(`building '/nix/store/[^']*-${name}.drv'`));
      made.push(stdout.trim());
      assert.equal(await whiteoutsOf(nix), '');
    }
    assert.equal(new Set(made).size, turns.length);
  });

  check('an image is upgraded under it: its paths are learnt, what is gone is forgotten', async (nix) => {
    const [c = '', onOld = ''] = (await runLocalOverlay(nix, buildLine('c', 'on-old'))).split('\n');
    await nix.switchImage('B');
    const script = `
      ! nix-store --check-validity ${onOld}
      ${buildLine('c', 'new')} >/dev/null; cmp ${c}/unique /run/nix-cache-init/lower/store/${c.slice(11)}/unique
      nix-store --verify --check-contents`;
    const { exitCode, stderr } = await bootLocalOverlay(nix, script);
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /building '/);
    await nix.switchImage('A');
    const back = await bootLocalOverlay(nix, buildLine('on-old'));
    assert.doesNotMatch(back.stderr, /building '/);
  });

  check(
    'a reader of the volume builds through its own daemon, and leaves the volume as it is',
    async (nix) => {
      const c = await runLocalOverlay(nix, buildLine('c'));
      const before = upperNames(nix);
      const script = `${buildLine('c')}; ${buildLine('e')}; nix-store --verify --check-contents; ${daemonIdle}; nix-collect-garbage >&2; test -e ${c}/unique`;
      const { exitCode, stdout, stderr } = await bootLocalOverlay(nix, script, ['--access', 'read-only']);
      assert.equal(exitCode, 0, stderr);
      assert.equal(stdout.split('\n')[0], c);
      assert.deepEqual(upperNames(nix), before);
      assert.equal(await whiteoutsOf(nix), '');
    },
  );

  check(
    'directories with signs that mean something in a URI, a regular expression or an option',
    async (nix) => {
      const odd = '/nix-cache/a b+c&d=100%25,e:f(g)?#h';
      await nix.machine.shell(`mkdir '.${odd}'`);
      const flags = ['--cache-dir', odd];
      const path = await runLocalOverlay(
        nix,
        `${buildLine('c')}; nix-store --verify --check-contents`,
        flags,
      );
      const again = await bootLocalOverlay(nix, buildLine('c'), flags);
      assert.equal(again.stdout.trim(), path);
      assert.doesNotMatch(again.stderr, /building '/);
    },
  );

  check(
    'an image whose store has no .links, on a root that can be written, and on one that cannot',
    async (nix) => {
      const without = 'rmdir /nix/store/.links';
      await runLocalOverlay(nix, `${buildLine('c')}; test -d /run/nix-cache-init/lower/store/.links`, [], {
        via: `${without}; exec "$@"`,
      });
      await beginAnew(nix);
      const readOnly = `${without} && busybox mount -o remount,ro /nix && exec "$@"`;
      await runLocalOverlay(
        nix,
        `${buildLine('c')}; ! test -e /run/nix-cache-init/lower/store/.links; nix-store --verify --check-contents`,
        [],
        { via: readOnly },
      );
    },
  );

  check('the command as a user is a client', async (nix) => {
    await nix.machine.shell(
      "grep -q alice etc/passwd || echo 'alice:x:1000:1000::/tmp:/bin/sh' >> etc/passwd",
    );
    const path = await runLocalOverlay(nix, `test $(id -u) = 1000; ${buildLine('c')}`, ['--user', 'alice']);
    assert.match(path, /-c$/);
    assert.ok(upperNames(nix).includes(path.slice(11)));
  });

  check('garbage collection gives the disk back what was built, by its own count', async (nix) => {
    await using running = await startLocalOverlay(nix);
    const used = async (): Promise<number> =>
      Number(await nix.machine.shell('du -s --block-size=1 nix-cache/upper | cut -f1'));
    await running.shell(buildLine('c'));
    const before = await used();
    await running.shell(buildLine('big'));
    const big = (await used()) - before;
    assert.ok(big > 8 * 1024 * 1024);
    await running.shell(`rm -rf /tmp/*; ${daemonIdle}; nix-collect-garbage`);
    assert.ok((await used()) <= before);
    assert.equal(await whiteoutsOf(nix), '');
  });

  check(
    'the image’s paths are there and valid even when nothing roots them, and leave no whiteout',
    async (nix) => {
      await using running = await startLocalOverlay(nix);
      const [b = '', old = ''] = (await running.shell(buildLine('b', 'old'))).split('\n');
      const roots = 'gcroots/image gcroots/old gcroots/auto profiles/default profiles/default-1-link';
      await running.shell(
        `cd /nix/var/nix; rm -r ${roots}; rm -rf /tmp/*; ${daemonIdle}; nix-collect-garbage`,
      );
      assert.equal(await whiteoutsOf(nix), '');
      await running.shell(`test -e ${old}/unique; cat ${b}/share/b; nix-store --check-validity ${b} ${old}`);
      const again = await running.attempt(buildLine('b', 'old'));
      assert.doesNotMatch(again.stderr, /building '/);
    },
  );

  check('a further lower comes, goes and comes back, and is not collected', async (nix) => {
    const lowers = ['--lowers', '["/images/C/store"]'];
    const first = await bootLocalOverlay(
      nix,
      `${buildLine('d', 'e')}; nix-store --verify --check-contents`,
      lowers,
    );
    assert.equal(first.exitCode, 0, first.stderr);
    assert.deepEqual(packagesBuilt(first.stderr), ['e']);
    const [d = '', e = ''] = first.stdout.trim().split('\n');
    await runLocalOverlay(nix, `! nix-store --check-validity ${d}; nix-store --verify --check-contents`);
    const again = await bootLocalOverlay(nix, buildLine('d', 'e'), lowers);
    assert.deepEqual([again.stdout.trim(), packagesBuilt(again.stderr)], [`${d}\n${e}`, []]);
    const script = `nix-collect-garbage; nix-store --check-validity ${d}; cat ${d}/unique; nix-store --verify --check-contents`;
    const collected = await runLocalOverlay(nix, script, lowers);
    const own = await nix.machine.shell(`cat images/C/store/${d.slice(11)}/unique`);
    assert.ok(collected.includes(own.trim()));
    assert.deepEqual(upperNames(nix), []);
    assert.equal(await whiteoutsOf(nix), '');
  });

  check('a local store of its own, for who asks for one, is the same store', async (nix) => {
    await using running = await startLocalOverlay(nix);
    const path = await running.shell(buildLine('c'));
    const load = (how: string): string => `nix-store --dump-db ${path} | nix-store ${how} --load-db`;
    await assert.rejects(running.shell(load('')), /you don't have sufficient rights/);
    await running.shell(load('--store local'));
  });

  check('in a user namespace, where the daemon is its root', async (nix) => {
    const script = `path=$(${buildLine('c')}); nix-store --verify --check-contents; ${daemonIdle}; nix-store --delete $path`;
    const outcome = await bootLocalOverlay(nix, script, [], { rootless: 'many' });
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    assert.equal(await whiteoutsOf(nix), '');
  });

  check('what a killed boot leaves mounted is taken down by the next', async (nix) => {
    const before = nix.machine.mounts();
    const args = [...localOverlay(), '--', 'sh', '-c', `${buildLine('c')} && exec sleep infinity`];
    await using killed = await startBoot(nix.machine, { args, shared: true });
    const [path] = await killed.waitFor(/^\/nix\/store\/.*-c$/m);
    killed.signal('SIGKILL');
    await killed.ended;
    assert.notDeepEqual(nix.machine.mounts(), before);
    const next = await bootInNamespace(nix.machine, {
      args: [...localOverlay(), '--', 'sh', '-euc', `${buildLine('c')}; nix-store --verify --check-contents`],
      shared: true,
    });
    assert.equal(next.exitCode, 0, next.stderr);
    assert.equal(next.stdout.trim(), path);
    assert.deepEqual(nix.machine.mounts(), before);
  });

  check(
    'an image without a database, or with part of it in the log alone, is refused, and mended',
    async (nix) => {
      // The remedy, as printed.
      const init = () => bootInNamespace(nix.machine, { program: ['nix-store', '--init'], args: [] });
      leaveInLog(nix.machine.path('/nix/var/nix/db/db.sqlite'));
      const inLog = await bootLocalOverlay(nix, 'true');
      assert.equal(inLog.exitCode, 78);
      assert.match(
        inLog.stderr,
        /write-ahead log alone: EINVAL \(add to the image's Dockerfile: RUN nix-store --init\)/,
      );
      await init();
      await runLocalOverlay(nix, 'nix-store --verify');

      await beginAnew(nix);
      rmSync(nix.machine.path('/nix/var/nix/db'), { recursive: true });
      const none = await bootLocalOverlay(nix, 'true');
      assert.equal(none.exitCode, 78);
      assert.match(none.stderr, /the image has no Nix database in \/nix\/var\/nix: EINVAL/);
      await init();
      await runLocalOverlay(nix, 'nix-store --verify');
    },
  );
}

/** What is left of a database when its last process was killed. SQLite cannot follow a path through /proc, so it gets a copy. */
function leaveInLog(file: string): void {
  using directory = mkdtempDisposableSync(`${tmpdir()}/nix-cache-init-db-`);
  const copy = `${directory.path}/db.sqlite`;
  copyFileSync(file, copy);
  using database = new DatabaseSync(copy);
  database.exec(`pragma journal_mode = wal; pragma wal_autocheckpoint = 0;
    update ValidPaths set registrationTime = registrationTime + 1`);
  for (const suffix of ['', '-wal']) copyFileSync(copy + suffix, file + suffix);
}

namespaceTest('Nix 2.8 has no such store: refused, or the next strategy', async () => {
  await using nix = await makeNixMachine({ suite: 'bookworm' });
  const refused = await bootLocalOverlay(nix, 'true');
  assert.equal(refused.exitCode, 78);
  assert.match(
    refused.stderr,
    /^nix-cache-init: facts: Nix 2\.8\.0 has no local-overlay store: ENOTSUP \(use an image with Nix 2\.22 or newer, or strategy=overlay\)$/m,
  );
  const next = await bootLocalOverlay(nix, 'grep -c " /nix/store overlay " /proc/mounts', [
    '--on-unsupported',
    'fallback',
  ]);
  assert.deepEqual([next.exitCode, next.stdout.trim()], [0, '1']);
  assert.match(next.stderr, /Nix 2\.8\.0 has no local-overlay store.*going on with strategy overlay/);
  assert.doesNotMatch(next.stderr, /nothing will be kept/);
  assert.ok(
    readFileSync(nix.machine.path('/nix-cache/.nix-cache-init/manifest.json'), 'utf8').includes('"overlay"'),
  );
});
