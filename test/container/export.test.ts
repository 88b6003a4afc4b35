import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Suite, suites } from '../harness/base.ts';
import { boot } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker, dockerOk, uniqueName } from '../harness/docker.ts';
import { changes, nixImage, repositoryName } from '../harness/images.ts';
import { installCommands } from '../harness/packages.ts';
import { buildTool, give, kinds, makePrefixGround, toolsMount } from '../harness/prefixGround.ts';
import { type Outcome, runOk } from '../harness/run.ts';
import { bare, makeVolume, type Volume } from '../harness/volume.ts';

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Mode, time, links and name of everything in an export, in which any container can look. */
async function listOf(output: Volume): Promise<string[]> {
  const find = "cd /out && find . -mindepth 1 -printf '%y %m %T@ %n %P\\n'";
  const mount = ['-v', `${output.name}:/out:ro`];
  return lines((await bare(await nixImage(), ['sh', '-euc', find], ...mount)).stdout).sort();
}

const machines: [Suite, string][] = [
  ...suites.map((suite): [Suite, string] => [suite, 'overlay']),
  ['forky', 'local-overlay'],
  ['trixie', 'none'],
];

for (const [suite, strategy] of machines) {
  containerTest(
    `Debian ${suite}: what a store of ${strategy} exports runs on its own, FROM scratch`,
    async () => {
      await using output = await makeVolume();
      await using volume = await makeVolume();
      const exported = await boot({
        image: await nixImage(suite),
        volume: volume.name,
        env: { NIX_CACHE_INIT_STRATEGY: strategy, NIX_CACHE_INIT_ON_UNSUPPORTED: 'fail' },
        flags: ['-v', `${output.name}:/out`, ...toolsMount],
        command: ['sh', '-euc', `nix-cache-init export --json --to /out $(${buildTool('greet')})`],
      });
      assert.equal(exported.exitCode, 0, exported.stderr);
      const { paths } = JSON.parse(exported.stdout) as { paths: string[] };
      const greet = paths.find((path) => path.endsWith('-greet')) ?? '';
      const shell = paths.find((path) => path.endsWith('-shell')) ?? '';
      assert.deepEqual(paths, [greet, shell].sort());

      const list = await listOf(output);
      // Only the closure, as Nix has it: read-only, a second after the epoch, hard links and symlinks as they were.
      for (const line of list) assert.match(line, /^([df] (755|555|444)|l 777) 1\.0+ /);
      const tops = list
        .map((line) => line.split(' ').at(-1) ?? '')
        .filter((path) => path.split('/').length <= 3);
      assert.deepEqual(tops.sort(), ['nix', 'nix/store', ...paths.map((path) => path.slice(1))].sort());
      assert.ok(
        list.some((line) => line.startsWith('f 555 ') && line.endsWith(`2 ${shell.slice(1)}/bin/twin`)),
      );
      assert.ok(list.some((line) => line.startsWith('l ') && line.endsWith(`${shell.slice(1)}/bin/sh`)));

      const said = await runFromScratch(output, [`${greet}/bin/greet`]);
      assert.equal(said.stdout, `greetings from ${greet}/bin/greet`, said.stderr);
    },
  );
}

containerTest(
  'a store of another prefix, exported by a user without privileges, runs where a zip of it is',
  async () => {
    await using ground = await makePrefixGround('prefix');
    await using output = await makeVolume();
    await give(output, '1000');
    const flags = ['-v', `${output.name}:/out`];
    const script = `path=$(${buildTool('greet')}); nix-cache-init export --to /out $path >/dev/null; echo $path`;
    const path = await ground.ok(script, { flags });
    assert.ok(path.startsWith(kinds.prefix.storeDir));
    // As a layer of AWS Lambda: unpacked somewhere by somebody, then run at the place that its paths name.
    const said = await viaZip(output, [`${path}/bin/greet`]);
    assert.equal(said.stdout, `greetings from ${path}/bin/greet`, said.stderr);
  },
);

containerTest('a store for a chroot can be exported, although nothing in it runs there', async () => {
  await using ground = await makePrefixGround('chroot');
  await using output = await makeVolume();
  await give(output, '1000');
  const flags = ['-v', `${output.name}:/out`];
  // A path that Nix adds without a builder.
  const script = `mkdir /tmp/tool; cp /bin/busybox /tmp/tool; path=$(nix-store --add /tmp/tool)
    nix-cache-init export --to /out $path >/dev/null; echo $path`;
  const path = await ground.ok(script, { flags });
  assert.match(path, /^\/nix\/store\//);
  const said = await runFromScratch(output, [`${path}/busybox`, 'echo', 'ran']);
  assert.equal(said.stdout, 'ran', said.stderr);
});

containerTest('as a shell of `docker exec` of a user, who is told nothing of the store', async () => {
  await using ground = await makePrefixGround('prefix');
  await using output = await makeVolume();
  await give(output, '1000');
  const path = await ground.ok(buildTool('greet'));
  await using container = await ground.start({ flags: ['-v', `${output.name}:/out`] });
  const exported = await container.exec(['nix-cache-init', 'export', '--to', '/out', path]);
  assert.equal(exported.exitCode, 0, exported.stderr);
  assert.match(exported.stdout, /^exported 2 paths, \d+ bytes, each compared with its hash$/m);
  const again = await container.exec(['nix-cache-init', 'export', '--to', '/out', path]);
  assert.equal(again.exitCode, 64);
  assert.match(again.stderr, /^nix-cache-init: export: \/out has something in it: opt: ENOTEMPTY \(/m);
});

/** Makes an image of nothing but the export, and runs a program of it. */
async function runFromScratch(output: Volume, command: string[]): Promise<Outcome> {
  await using place = await temporaryPlace();
  await pack(output, place.path, 'tar -C /out -cf /place/root.tar .');
  return await runTar(`${place.path}/root.tar`, command);
}

/** The same by way of a zip, which knows no hard links. */
async function viaZip(output: Volume, command: string[]): Promise<Outcome> {
  await installCommands({ zip: 'zip', unzip: 'unzip' });
  await using place = await temporaryPlace();
  await pack(output, place.path, 'cp -a /out /place/root');
  const script = `cd "$1/root"; zip -qry ../layer.zip .
    mkdir ../unpacked; cd ../unpacked; unzip -q ../layer.zip; tar -cf ../root.tar .`;
  await runOk('sh', ['-euc', script, 'sh', place.path]);
  return await runTar(`${place.path}/root.tar`, command);
}

async function runTar(file: string, command: string[]): Promise<Outcome> {
  const tag = `${repositoryName}/${uniqueName('exported')}`;
  await dockerOk('import', ...changes(), file, tag);
  try {
    return await docker('run', '--rm', '--network', 'none', tag, ...command);
  } finally {
    await dockerOk('image', 'rm', tag);
  }
}

async function temporaryPlace(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'nix-cache-init-export-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** Does something with what is in the output, at /place. */
async function pack(output: Volume, place: string, script: string): Promise<void> {
  const mounts = ['-v', `${output.name}:/out:ro`, '-v', `${place}:/place`];
  const { exitCode, stderr } = await bare(await nixImage(), ['sh', '-euc', script], ...mounts);
  assert.equal(exitCode, 0, stderr);
}
