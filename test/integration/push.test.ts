import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpCache, startHttpCache } from '../harness/httpCache.ts';
import { startLocalOverlay } from '../harness/localOverlay.ts';
import { bootInNamespace, startBoot } from '../harness/namespaceBoot.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { makeNixMachine } from '../harness/nixMachine.ts';
import {
  build,
  isNoted,
  makePushGround,
  once,
  program,
  pushing,
  pushRecords,
  sentTwice,
} from '../harness/pushing.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';
import { makeSubstituterMachine, substituter, until } from '../harness/substituterMachine.ts';
import { SETTLE_MS, systemCalls } from '../harness/systemCalls.ts';

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
const ours = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line.includes('nix-cache-init'));

/** A server that is not there: its port was free a moment ago. */
async function goneCache(): Promise<string> {
  await using cache = await startHttpCache();
  return cache.url;
}

namespaceTest(
  'what a container built is pushed at its end, signed, and another one substitutes it',
  async () => {
    await using ground = await makePushGround();
    const { nix, cache } = ground;
    const publicKey = await nix.nix(
      'nix-store --generate-binary-cache-key mine /secret /public; cat /public',
    );
    const script = `${build('d')}; exit 7`;
    const args = pushing([`${cache.url}?secret-key=/secret&compression=zstd`], overlay('sh', '-euc', script));
    const first = await bootInNamespace(nix.machine, { args });
    assert.equal(first.exitCode, 7, first.stderr);
    assert.deepEqual(ours(first.stderr), []);
    const path = lastLine(first.stdout);
    // With all that it refers to, of the image too: without that it is of no use to anybody.
    assert.equal((await cache.names()).filter((name) => name.endsWith('.narinfo')).length, 4);
    assert.deepEqual(sentTwice(cache), []);
    assert.ok(await isNoted(nix, path));

    await nix.machine.shell('rm -rf nix-cache/* nix-cache/.nix-cache-init');
    await nix.switchImage('A');
    const options = `--option substituters ${cache.url} --option trusted-public-keys ${publicKey}`;
    const second = await nix.boot(['sh', '-euc', `${build('d')} ${options}`]);
    assert.equal(lastLine(second.stdout), path, second.stderr);
    assert.doesNotMatch(second.stderr, /building '/);
    assert.match(second.stderr, new RegExp(`copying path '${path}' from '${cache.url}'`));
  },
);

namespaceTest('it is pushed while the container runs, once, and survives its being killed', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  let path: string;
  {
    const args = pushing([cache.url], overlay(...idle));
    await using running = await startRunningBoot(nix.machine, { args });
    path = lastLine(await running.shell(build('c')));
    await until(() => cache.has(path));
    running.booted.signal('SIGKILL');
    await running.booted.ended;
  }
  const before = cache.puts();
  const outcome = await bootInNamespace(nix.machine, { args: pushing([cache.url], overlay('true')) });
  assert.deepEqual([outcome.exitCode, ours(outcome.stderr)], [0, []]);
  assert.deepEqual(cache.puts(), before);
  assert.ok(await isNoted(nix, path));
  // What is known to be there is not even asked for.
  const asked = cache.requests.length;
  await bootInNamespace(nix.machine, { args: pushing([cache.url], overlay('true')) });
  assert.equal(cache.requests.length, asked);
});

namespaceTest('a cache that hangs does not hold up the end beyond the grace, nor the others', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  await using hanging = await startHttpCache();
  hanging.answer = () => 'hang';
  const gone = await goneCache();
  const args = ['--shutdown-grace', '1s', ...pushing([hanging.url, gone, cache.url], overlay(...idle))];
  await using running = await startRunningBoot(nix.machine, { args, env: once });
  const path = lastLine(await running.shell(build('c')));
  await until(() => cache.has(path) && hanging.requests.length > 0);
  await running.booted.waitForError(new RegExp(`cannot push to ${gone}, will try again: .*connect`, 'i'));
  running.booted.signal('SIGTERM');
  const first = await running.booted.ended;
  assert.equal(first.exitCode, 143, first.stderr);
  const said = new RegExp(`not everything new was pushed to ${hanging.url}, .*next time: the grace is over`);
  assert.match(first.stderr, said);
  assert.doesNotMatch(first.stderr, new RegExp(cache.url));

  hanging.answer = () => 'serve';
  const again = pushing([hanging.url], overlay('true'));
  const second = await bootInNamespace(nix.machine, { args: again });
  assert.deepEqual([second.exitCode, ours(second.stderr)], [0, []]);
  assert.ok(hanging.has(path));
});

namespaceTest('a second TERM means no patience with pushing either', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  const asked = Promise.withResolvers<void>();
  cache.answer = () => 'hang';
  const args = ['--shutdown-grace', '1h', ...pushing([cache.url], overlay(...idle))];
  await using running = await startRunningBoot(nix.machine, { args });
  await running.shell(build('c'));
  await until(() => cache.requests.length > 0);
  cache.answer = () => {
    asked.resolve();
    return 'hang';
  };
  running.booted.signal('SIGTERM');
  await asked.promise;
  running.booted.signal('SIGTERM');
  const outcome = await running.booted.ended;
  assert.equal(outcome.exitCode, 143, outcome.stderr);
  assert.match(outcome.stderr, /not everything new was pushed .*the grace is over/);
});

namespaceTest(
  'a cache that fails after some files is said to in one line, and tried until it has all',
  async () => {
    await using ground = await makePushGround();
    const { nix, cache } = ground;
    failAfter(cache, 3);
    const args = pushing([cache.url], overlay(...idle));
    await using running = await startRunningBoot(nix.machine, { args, env: once });
    const path = lastLine(await running.shell(build('c')));
    await running.booted.waitForError(/cannot push to http:\/\/127.0.0.1:\d+, will try again: /);
    // Something new does not have it tried before its time, nor said again.
    const other = lastLine(await running.shell(build('e')));
    cache.answer = () => 'serve';
    await until(() => cache.has(path) && cache.has(other));
    running.booted.signal('SIGTERM');
    const outcome = await running.booted.ended;
    assert.equal(ours(outcome.stderr).length, 1, outcome.stderr);
    assert.deepEqual(sentTwice(cache), []);
  },
);

namespaceTest('killed while any file is sent, nothing is lost and nothing sent twice', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  let kills = 0;
  for (const [index, name] of ['c', 'd', 'e', 'side', 'on-old'].entries()) {
    // The first one takes nix-cache-info, and what the image has, too.
    const start = cache.puts().length;
    const args = pushing([cache.url], overlay('sh', '-euc', build(name)));
    await using booted = await startBoot(nix.machine, { args });
    cache.onPut = () => {
      if (cache.puts().length !== start + 1 + (index % 3)) return;
      booted.signal('SIGKILL');
      kills += 1;
    };
    const { stdout } = await booted.ended;
    cache.onPut = () => {};
    const path = lastLine(stdout);
    const again = await bootInNamespace(nix.machine, { args: pushing([cache.url], overlay('true')) });
    assert.deepEqual([again.exitCode, ours(again.stderr)], [0, []]);
    assert.ok(cache.has(path) && (await isNoted(nix, path)), name);
  }
  assert.ok(kills >= 3, `${kills} kills`);
  assert.deepEqual(sentTwice(cache), []);
});

namespaceTest(
  'with the substituter strategy, what one container did not come to the next one pushes',
  async () => {
    await using ground = await makePushGround(makeSubstituterMachine);
    const { nix, cache } = ground;
    cache.answer = () => 503;
    const args = pushing([cache.url], substituter('sh', '-euc', build('d')));
    const first = await bootInNamespace(nix.machine, { args, env: once });
    assert.match(first.stderr, /not everything new was pushed to .*503/);
    const path = lastLine(first.stdout);
    cache.answer = () => 'serve';
    // A new container: its store has never had the path.
    await nix.switchImage('A');
    const second = await bootInNamespace(nix.machine, { args: pushing([cache.url], substituter('true')) });
    assert.deepEqual([second.exitCode, ours(second.stderr)], [0, []]);
    assert.ok(cache.has(path));
  },
);

namespaceTest('with the prefix strategy the store of the volume is pushed', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  const where = [
    ...['--strategy', 'prefix', '--on-unsupported', 'fail'],
    ...['--store-dir', '/nix-cache/store', '--state-dir', '/nix-cache/state'],
  ];
  const args = pushing([cache.url], [...where, '--', 'sh', '-euc', build('c')]);
  const outcome = await bootInNamespace(nix.machine, { args });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  const path = lastLine(outcome.stdout);
  assert.match(path, /^\/nix-cache\/store\//);
  assert.ok(cache.has(path), outcome.stderr);
  // And by hand, without an init.
  await using other = await startHttpCache();
  const byHand = ['push', ...where, '--to', other.url];
  const pushed = await bootInNamespace(nix.machine, { program: [program], args: byHand });
  assert.match(pushed.stdout, /(\d+) of \1 paths there\n$/, pushed.stderr);
  assert.ok(other.has(path));
});

namespaceTest('with the local-overlay strategy, what the daemon has built is pushed', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  await using running = await startLocalOverlay(nix, '--push-to', JSON.stringify([cache.url]));
  const path = lastLine(await running.shell(build('d')));
  running.booted.signal('SIGTERM');
  const { exitCode, stderr } = await running.booted.ended;
  assert.equal(exitCode, 143, stderr);
  assert.ok(cache.has(path), stderr);
  assert.equal((await cache.names()).filter((name) => name.endsWith('.narinfo')).length, 4);
});

namespaceTest('a password in a URI is sent to its server, and told to nobody else', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  const secret = 'hunter2';
  const to = cache.url.replace('//', `//me:${secret}@`);
  const args = [
    '--log-level',
    'debug',
    ...pushing([to], overlay('sh', '-euc', `${build('c')}; cat /run/nix-cache-init/boot.json`)),
  ];
  const outcome = await bootInNamespace(nix.machine, { args });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  const sent = cache.requests.map(({ authorization }) => authorization);
  assert.ok(sent.includes(`Basic ${btoa(`me:${secret}`)}`), `${sent}`);
  const records = await pushRecords(nix);
  assert.equal(records.length, 1);
  assert.match(outcome.stdout, /"do": "push"/);
  assert.match(outcome.stderr, /pushed to http:\/\/127/);
  for (const text of [outcome.stdout, outcome.stderr, ...records])
    assert.doesNotMatch(text, new RegExp(secret));
  // Nix's own way to say it.
  await nix.machine.shell(`echo machine 127.0.0.1 login me password ${secret} >netrc`);
  const byNetrc = cache.requests.length;
  const quiet = await bootInNamespace(nix.machine, {
    args: pushing([cache.url], overlay('sh', '-euc', build('e'))),
    env: { NIX_CONFIG: 'netrc-file = /netrc' },
  });
  assert.deepEqual([quiet.exitCode, ours(quiet.stderr)], [0, []]);
  const withNetrc = cache.requests.slice(byNetrc).map(({ authorization }) => authorization);
  assert.ok(withNetrc.includes(`Basic ${btoa(`me:${secret}`)}`), `${withNetrc}`);
  // Nor when it fails.
  cache.answer = () => 401;
  const failed = await bootInNamespace(nix.machine, {
    args: pushing([to], overlay('sh', '-euc', build('d'))),
  });
  assert.match(failed.stderr, /not everything new was pushed/);
  assert.doesNotMatch(failed.stderr, new RegExp(secret));
});

namespaceTest('what cannot be pushed by itself is said in one line, and boots all the same', async () => {
  await using nix = await makeNixMachine({ images: ['A'] });
  for (const [words, says] of [
    [['--strategy', 'none', '--', 'true'], /nothing is pushed by itself: strategy none keeps no paths/],
    [['--access', 'read-only', ...overlay('true')], /nothing is pushed by itself: the volume is only read/],
  ] as const) {
    const args = pushing(['http://127.0.0.1:1'], words);
    const outcome = await bootInNamespace(nix.machine, { args });
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    const [line = '', ...more] = ours(outcome.stderr);
    assert.match(line, says);
    assert.deepEqual(more, []);
  }
});

namespaceTest('when all is pushed, nothing wakes up', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  await using running = await startRunningBoot(nix.machine, { args: pushing([cache.url], overlay(...idle)) });
  const path = lastLine(await running.shell(build('c')));
  await until(() => cache.has(path));
  while (!(await isNoted(nix, path))) await sleep(50);
  // After the events of Nix's own, which are looked at once more.
  await sleep(SETTLE_MS + 2000);
  assert.deepEqual(await systemCalls(running.booted.init), []);
});

/** Takes some files, and then says that it cannot. */
function failAfter(cache: HttpCache, puts: number): void {
  cache.answer = ({ method }) => (method === 'PUT' && cache.puts().length >= puts ? 500 : 'serve');
}
