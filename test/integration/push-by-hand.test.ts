import assert from 'node:assert/strict';
import { pushSchema } from '../../src/commands/schemas/push.ts';
import { assertFails } from '../harness/failureLine.ts';
import { startHttpCache } from '../harness/httpCache.ts';
import { bootInNamespace } from '../harness/namespaceBoot.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { overlay } from '../harness/namespaceStore.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { build, makePushGround, once, program, pushing, sentTwice } from '../harness/pushing.ts';
import type { Outcome } from '../harness/run.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';
import { makeSubstituterMachine, substituter } from '../harness/substituterMachine.ts';

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

const report = ({ stdout }: Outcome) => pushSchema.parse(JSON.parse(stdout)).caches;

namespaceTest('beside a running init: what is new, then nothing, then what is asked for', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  await using running = await startRunningBoot(nix.machine, { args: overlay(...idle) });
  const push = (...words: string[]): Promise<Outcome> => running.exec([program, 'push', ...words]);
  const path = lastLine(await running.shell(build('c')));
  const image = lastLine(await running.shell(build('w')));

  const first = await push('--to', cache.url, '--json');
  assert.equal(first.exitCode, 0, first.stderr);
  assert.deepEqual(report(first), [{ to: cache.url, there: [path], missing: [] }]);
  assert.ok(cache.has(path) && !cache.has(image));

  const asked = cache.requests.length;
  const second = await push('--to', cache.url);
  assert.deepEqual([second.exitCode, second.stdout], [0, `${cache.url}: nothing new`]);
  assert.equal(cache.requests.length, asked);

  // A path in one, and a link to one.
  await running.shell(`ln -s ${image} /result`);
  const named = await push('--to', cache.url, '--json', `${path}/unique`, '/result');
  assert.deepEqual(report(named), [{ to: cache.url, there: [path, image], missing: [] }]);
  assert.ok(cache.has(image));
  assert.deepEqual(sentTwice(cache), []);

  // Nix's other kinds of stores are given to it as they are.
  const other = await push('--to', 'file:///other?compression=none', '--json');
  assert.deepEqual(report(other), [{ to: 'file:///other', there: [path], missing: [] }]);
  assert.match(await running.shell('ls /other/nar'), /\.nar$/m);

  const unknown = `/nix/store/${'0'.repeat(32)}-nowhere`;
  const mixed = await push('--to', cache.url, unknown, path);
  assert.equal(mixed.exitCode, 1, mixed.stderr);
  assert.match(mixed.stdout, new RegExp(`^missing  ${unknown}\n${cache.url}: 1 of 2 paths there: .*nowhere`));
});

namespaceTest('a cache that lost everything is told of it again where somebody says so', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  await using running = await startRunningBoot(nix.machine, { args: overlay(...idle) });
  const push = (...words: string[]): Promise<Outcome> => running.exec([program, 'push', ...words]);
  const path = lastLine(await running.shell(build('c')));
  assert.equal((await push('--to', cache.url)).exitCode, 0);
  await cache.clear();
  assert.match((await push('--to', cache.url)).stdout, /nothing new/);
  const again = await push('--again', '--to', cache.url);
  assert.equal(again.exitCode, 0, again.stderr);
  // Although Nix remembers that it is there.
  assert.ok(cache.has(path));
});

namespaceTest('one that does not answer, beside one that does: 1, and what is missing', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  await using broken = await startHttpCache();
  broken.answer = () => 500;
  const to = [broken.url, cache.url];
  const args = ['--shutdown-grace', '1s', ...overlay(...idle)];
  await using running = await startRunningBoot(nix.machine, { args });
  const paths = (await running.shell(`${build('c')}; ${build('e')}`)).split('\n');
  const variables = [
    `NIX_CACHE_INIT_PUSH_TO=${JSON.stringify(to)}`,
    ...Object.entries(once).map(([name, value]) => `${name}=${value}`),
  ];
  const outcome = await running.exec(['env', ...variables, program, 'push', '--json']);
  assert.equal(outcome.exitCode, 1, outcome.stderr);
  const [first, second] = report(outcome);
  assert.deepEqual(first?.missing.toSorted(), paths.toSorted());
  assert.deepEqual(first?.there, []);
  assert.match(first?.why ?? '', /500/);
  assert.deepEqual(second, { to: cache.url, there: paths.toSorted(), missing: [] });
});

namespaceTest('alone it is the command of /init; beside a volume it says so', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  const path = lastLine(await nix.nix(build('c')));
  const refused = await bootInNamespace(nix.machine, {
    program: [program],
    args: ['push', '--to', cache.url],
  });
  assertFails(refused, 78, /push: the volume \/nix-cache is not laid over \/nix\/store here: ENOENT/);
  const outcome = await bootInNamespace(nix.machine, {
    args: overlay(program, 'push', '--to', cache.url),
  });
  assert.deepEqual([outcome.exitCode, outcome.stdout], [0, `${cache.url}: 1 of 1 path there\n`]);
  assert.ok(cache.has(path));
});

namespaceTest('alone out of a binary cache on the volume, with what is new in it', async () => {
  await using ground = await makePushGround(makeSubstituterMachine);
  const { nix, cache } = ground;
  const path = lastLine(await nix.nix(build('d')));
  await nix.switchImage('A');
  const outcome = await bootInNamespace(nix.machine, {
    program: [program],
    args: ['push', '--to', cache.url, '--json'],
  });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  assert.ok(report(outcome)[0]?.there.includes(path));
  assert.ok(cache.has(path));
  // And init knows of it.
  const asked = cache.requests.length;
  const args = pushing([cache.url], substituter('true'));
  assert.equal((await bootInNamespace(nix.machine, { args })).exitCode, 0);
  assert.equal(cache.requests.length, asked);
});

namespaceTest('where the volume can only be read, it is pushed all the same', async () => {
  await using ground = await makePushGround();
  const { nix, cache } = ground;
  const path = lastLine(await nix.nix(build('c')));
  const reader = await bootInNamespace(nix.machine, {
    args: overlay(program, 'push', '--to', cache.url),
    env: { NIX_CACHE_INIT_ACCESS: 'read-only' },
    via: 'busybox mount -o remount,bind,ro /nix-cache && exec "$@"',
  });
  assert.deepEqual([reader.exitCode, reader.stdout], [0, `${cache.url}: 1 of 1 path there\n`], reader.stderr);
  assert.ok(cache.has(path));
  assert.deepEqual(sentTwice(cache), []);
});

namespaceTest(
  'wrong use ends with 64, wrong configuration with 78, and neither tells a password',
  async () => {
    await using machine = await makeMachine({ volume: 'none' });
    const run = (...args: string[]): Promise<Outcome> =>
      bootInNamespace(machine, { program: [program], args });
    assertFails(await run('push'), 64, /push needs a binary cache: EINVAL \(say --to URI/);
    assertFails(await run('push', '--to'), 64, /--to needs a value/);
    assertFails(await run('push', '--to', 'ftp://me:hunter2@host'), 64, /--to is no URI of a store of Nix/);
    assertFails(await run('push', '--to', 'file:///c', '/x', '--json'), 64, /--json comes after a path/);
    const wrong = JSON.stringify(['https://me:hunter2@good.example', 'ftp://me:hunter2@host']);
    const refused = await run('push', '--push-to', wrong);
    assertFails(refused, 78, /push\.to is \["https:\/\/…@good.example","ftp:\/\/…@host"\] in flag --push-to/);
    assertFails(await bootInNamespace(machine, { args: ['--push-to', wrong, '--', 'true'] }), 78, /push\.to/);
    const shown = await run('config', '--push-to', JSON.stringify(['https://me:hunter2@good.example']));
    assert.match(shown.stdout, /^push\.to +\["https:\/\/…@good\.example"\]/m);
    for (const { stdout, stderr } of [refused, shown]) assert.doesNotMatch(stdout + stderr, /hunter2/);
    const schema = await run('push', '--schema');
    assert.equal(JSON.parse(schema.stdout).title, 'nix-cache-init push');
  },
);
