import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { startBoot } from '../harness/namespaceBoot.ts';
import type { Machine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { buildLine } from '../harness/nix.ts';
import { type Outcome, tail } from '../harness/run.ts';
import {
  cacheNames,
  isKept,
  makeSubstituterMachine,
  publishFrom,
  substituter,
  until,
} from '../harness/substituterMachine.ts';

function assertFetched({ exitCode, stdout, stderr }: Outcome): string {
  assert.equal(exitCode, 0, tail(stderr));
  assert.doesNotMatch(stderr, /building '/);
  assert.match(stderr, /copying path '\S+' from 'file:\/\/\/nix-cache\/binary-cache'/);
  return stdout.trim();
}

namespaceTest('what one container built, the next has from the volume', async () => {
  await using ground = await makeSubstituterMachine();
  const { machine } = ground;
  const path = await ground.build('d');
  // By the hook, and what it refers to although the image has that.
  const names = cacheNames(machine);
  assert.equal(names.filter((name) => name.endsWith('.narinfo')).length, 4);
  const secret = statSync(machine.path('/nix-cache/.nix-cache-init/binary-cache-key/secret'));
  assert.equal(secret.mode & 0o777, 0o600);
  assert.equal(existsSync(machine.path('/nix-cache/.nix-cache-init/binary-cache-open')), false);
  await ground.switchImage('A');
  assert.equal(assertFetched(await ground.boot(['sh', '-euc', buildLine('d')])), path);
  assert.deepEqual(cacheNames(machine), names);
  await ground.verify();
});

namespaceTest('what was substituted elsewhere is kept at the end, and the other cache can go', async () => {
  await using ground = await makeSubstituterMachine();
  const { machine } = ground;
  const { path, options } = await publishFrom(ground, 'd');
  assert.equal(isKept(machine, path), false);
  const first = await ground.boot(['sh', '-euc', `${buildLine('d')} ${options}`]);
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(first.stderr, /from 'file:\/\/\/elsewhere'/);
  assert.ok(isKept(machine, path));
  await machine.shell('rm -r elsewhere');
  await ground.switchImage('A');
  assert.equal(assertFetched(await ground.boot(['sh', '-euc', `${buildLine('d')} ${options}`])), path);
});

/** A container that has fetched d, and is killed. @param before what is waited for in between. */
async function fetchAndBeKilled(
  machine: Machine,
  options: string,
  before?: () => Promise<void>,
): Promise<void> {
  const args = substituter('sh', '-euc', `${buildLine('d')} ${options}; echo fetched; exec sleep infinity`);
  await using booted = await startBoot(machine, { args });
  await booted.waitFor(/fetched/);
  await before?.();
  booted.signal('SIGKILL');
  await booted.ended;
}

namespaceTest('it is kept while the container runs, too, and survives its being killed', async () => {
  await using ground = await makeSubstituterMachine();
  const { machine } = ground;
  const { path, options } = await publishFrom(ground, 'd');
  await fetchAndBeKilled(machine, options, () => until(() => isKept(machine, path)));
  await machine.shell('rm -r elsewhere');
  await ground.switchImage('A');
  assert.equal(assertFetched(await ground.boot(['sh', '-euc', buildLine('d')])), path);
});

namespaceTest('what a container that was killed had not come to, it does after its restart', async () => {
  await using ground = await makeSubstituterMachine();
  const { machine } = ground;
  const { path, options } = await publishFrom(ground, 'd');
  // In the quiet time before anything is copied.
  await fetchAndBeKilled(machine, options);
  assert.equal(isKept(machine, path), false);
  const conf = readFileSync(machine.path('/etc/nix/nix.conf'), 'utf8').trim();
  assert.equal(await ground.nix('cat /etc/nix/nix.conf'), conf);
  assert.ok(isKept(machine, path));
});

namespaceTest(
  'a profile of nix-env and a root work in the next container, and what removed them stays removed',
  async () => {
    await using ground = await makeSubstituterMachine();
    const profile = '/nix/var/nix/profiles/per-user/root/mine';
    const path = await ground.nix(`
      mkdir -p /nix/var/nix/profiles/per-user/root
      nix-env --profile ${profile} --set $(${buildLine('c')})
      nix-env --profile ${profile} --set $(${buildLine('d')})
      nix-store --realise $(${buildLine('e')}) --add-root /nix/var/nix/gcroots/mine >/dev/null
      readlink -f ${profile}`);
    const expected = path.split('\n').at(-1) ?? '';
    await ground.switchImage('A');
    const again = await ground.nix(`
      readlink -f ${profile}; cat ${profile}/c >/dev/null; cat /nix/var/nix/gcroots/mine/b >/dev/null
      nix-env --profile ${profile} --list-generations | wc -l
      nix-env --profile ${profile} --rollback; readlink -f ${profile}; cat ${profile}/b >/dev/null
      rm /nix/var/nix/gcroots/mine`);
    assert.match(again, new RegExp(`^${expected}\n2\n`));
    await ground.switchImage('A');
    const third = await ground.nix(`
      readlink ${profile}; cat ${profile}/b; ls /nix/var/nix/gcroots; readlink /nix/var/nix/profiles/default`);
    assert.match(third, /^mine-1-link\n\/nix\/store\/\S+-b\n/);
    assert.doesNotMatch(third, /^mine$/m);
    assert.match(third, /default-1-link$/);
    await ground.verify();
  },
);

namespaceTest('the image’s own profile follows the image, unless a user changed it', async () => {
  await using ground = await makeSubstituterMachine();
  const { machine } = ground;
  const read = 'readlink -f /nix/var/nix/profiles/default; ls /nix/var/nix/gcroots';
  await ground.nix('true');
  await ground.switchImage('B');
  // Of image A a root is gone, and with it what it led to.
  assert.match(await ground.nix(read), /-b\n(?!.*old)[\s\S]*new/);
  const mine = await ground.nix(`
    nix-env --profile /nix/var/nix/profiles/default --set $(${buildLine('d')}); readlink -f /nix/var/nix/profiles/default`);
  await ground.switchImage('A');
  const expected = mine.split('\n').at(-1) ?? '';
  assert.match(await ground.nix(read), new RegExp(`^${expected}\n`));
  assert.match(expected, /-d$/);
  assert.ok(existsSync(machine.path('/nix-cache/.nix-cache-init/links.json')));
});

namespaceTest('a profile whose path is nowhere is said in one line, and waits for better times', async () => {
  await using ground = await makeSubstituterMachine();
  const { machine } = ground;
  const profile = '/nix/var/nix/profiles/mine';
  const path = (
    await ground.nix(`nix-env --profile ${profile} --set $(${buildLine('d')}); readlink -f ${profile}`)
  )
    .split('\n')
    .at(-1);
  const name = `/nix-cache/binary-cache/${(path ?? '').slice(11, 43)}.narinfo`;
  await machine.shell(`mv .${name} saved`);
  await ground.switchImage('A');
  const without = await ground.boot(['sh', '-c', `ls ${profile} || echo none`]);
  assert.equal(without.stdout.trim(), 'none');
  const lines = without.stderr.split('\n').filter((line) => line.includes('nix-cache-init'));
  assert.equal(lines.length, 1, without.stderr);
  assert.match(lines[0] ?? '', /could not be restored: .*profiles\/mine profiles\/mine-1-link/);
  await machine.shell(`mv saved .${name}`);
  await ground.switchImage('A');
  assert.equal(await ground.nix(`readlink -f ${profile}`), path);
});

namespaceTest('garbage collection frees the store; the cache has it still', async () => {
  await using ground = await makeSubstituterMachine();
  const path = await ground.build('d');
  const outcome = await ground.boot([
    'sh',
    '-euc',
    `nix-collect-garbage -d >/dev/null 2>&1; [ ! -e ${path} ]; ${buildLine('d')}`,
  ]);
  assert.equal(assertFetched(outcome), path);
});

namespaceTest('paths of the cache stay usable with another image', async () => {
  await using ground = await makeSubstituterMachine();
  // It refers to a package that only image A has.
  const path = await ground.build('on-old');
  await ground.switchImage('B');
  assert.equal(assertFetched(await ground.boot(['sh', '-euc', buildLine('on-old')])), path);
  await ground.verify();
});

namespaceTest('who reads uses the cache beside the one who writes, and adds nothing', async () => {
  await using ground = await makeSubstituterMachine();
  const { machine } = ground;
  const path = await ground.build('d');
  await using writer = await startBoot(machine, {
    args: substituter('sh', '-c', 'echo ready; exec sleep infinity'),
  });
  await writer.waitFor(/ready/);
  const second = await ground.boot(['true']);
  assert.equal(second.exitCode, 75, second.stderr);
  assert.match(second.stderr, /lock: the volume is in use by/);
  const names = cacheNames(machine);
  const env = { NIX_CACHE_INIT_ON_LOCKED: 'read-only' };
  const reader = await ground.boot(
    ['sh', '-euc', `nix-collect-garbage -d >/dev/null 2>&1; ${buildLine('e')} >&2; ${buildLine('d')}`],
    { env },
  );
  assert.equal(reader.exitCode, 0, reader.stderr);
  assert.match(reader.stderr, /in use .*going on read-only/);
  assert.match(reader.stderr, /building '\S+-e\.drv'/);
  assert.match(reader.stderr, new RegExp(`copying path '${path}'`));
  assert.deepEqual(cacheNames(machine), names);
});

namespaceTest('a volume that can only be read will do to read', async () => {
  await using ground = await makeSubstituterMachine();
  const path = await ground.build('d');
  await ground.switchImage('A');
  const reader = await ground.boot(['sh', '-euc', buildLine('d')], {
    env: { NIX_CACHE_INIT_ACCESS: 'read-only' },
    via: 'busybox mount -o remount,bind,ro /nix-cache && exec "$@"',
  });
  assert.equal(assertFetched(reader), path);
});

namespaceTest('on a volume that is full builds stand, and what is described there is whole', async () => {
  await using ground = await makeSubstituterMachine({ size: '4M' });
  const { machine } = ground;
  const full = await ground.boot([
    'sh',
    '-euc',
    `${buildLine('big')}; ${buildLine('c')}; cp /dev/zero /nix-cache/ballast || true; ${buildLine('d')}`,
  ]);
  assert.equal(full.exitCode, 0, full.stderr);
  assert.match(full.stderr, /not in the binary cache yet: .*No space left on device/);
  assert.match(full.stderr, /not everything new is in the binary cache: .*No space left on device/);
  assert.deepEqual(
    cacheNames(machine).filter((name) => name.includes('.tmp.')),
    [],
  );
  rmSync(machine.path('/nix-cache/ballast'));
  // What did not fit is tried again by the container that has it; the rest is served.
  await ground.nix('true');
  await ground.switchImage('A');
  const next = await ground.boot(['sh', '-euc', buildLine('d')]);
  assertFetched(next);
  await ground.verify();
});

namespaceTest('without privileges, on a file system without extended attributes', async () => {
  await using ground = await makeSubstituterMachine({ volume: 'directory' });
  const { machine } = ground;
  await machine.shell('mount -t ramfs volume nix-cache; chown 1000:1000 nix-cache; chown -R 1000:1000 nix');
  const user =
    'busybox mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && exec setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs "$@"';
  const boot = (script: string) =>
    ground.boot(['sh', '-euc', script], {
      via: user,
      env: { HOME: '/tmp/home', NIX_CACHE_INIT_LOG_LEVEL: 'info' },
    });
  const first = await boot(
    `${buildLine('d')}; nix-env --profile /nix/var/nix/profiles/mine --set $(${buildLine('d')})`,
  );
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(first.stderr, /cannot write \/etc\/nix\/nix\.conf: for docker exec add -e/);
  await ground.switchImage('A');
  await machine.shell('chown -R 1000:1000 nix');
  const second = await boot(`cat /nix/var/nix/profiles/mine/c; ${buildLine('d')}`);
  assert.equal(second.exitCode, 0, second.stderr);
  assert.doesNotMatch(second.stderr, /building '/);
});

namespaceTest('idle, nothing wakes up', async () => {
  await using ground = await makeSubstituterMachine();
  await ground.build('c');
  await using booted = await startBoot(ground.machine, {
    args: substituter('sh', '-c', 'echo ready; exec sleep infinity'),
  });
  await booted.waitFor(/ready/);
  const switches = (): number => {
    const threads = readdirSync(`/proc/${booted.init}/task`);
    const statuses = threads.map((thread) =>
      readFileSync(`/proc/${booted.init}/task/${thread}/status`, 'utf8'),
    );
    return statuses.reduce(
      (sum, text) => sum + Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(text)?.[1]),
      0,
    );
  };
  // Once what the boot itself stirred has settled, the count stands still.
  let last = -1;
  await until(() => {
    const now = switches();
    const still = now === last;
    last = now;
    return still;
  }, 3000);
  writeFileSync(ground.machine.path('/nix-cache/touched'), '');
  assert.equal(switches(), last);
});
