import { join } from 'node:path';
import { boot as bootContainer, runArguments } from '../harness/container.ts';
import { docker as runDocker } from '../harness/docker.ts';
import { openEngine } from '../harness/engine.ts';
import { installCommands } from '../harness/packages.ts';
import { repository } from '../harness/paths.ts';
import { makeVolume } from '../harness/volume.ts';
import type { Measurement } from './measurement.ts';
import { inTurns } from './rounds.ts';
import { pairedRatios, spreadOf } from './statistics.ts';

/** What is run, and how the report calls it: as short as can be, and one that needs nix-daemon. */
const commands = [
  { suffix: '', of: 'true', command: ['/bin/true'] },
  {
    suffix: ' nix',
    of: 'nix store ping',
    command: [
      ...['nix', '--extra-experimental-features', 'nix-command'],
      ...['store', 'ping', '--store', 'daemon'],
    ],
  },
];

const socket = '/nix/var/nix/daemon-socket/socket';
/** What a client must not meet, it waits for: the last container's socket, and none. */
const daemon = `rm -f ${socket}; nix-daemon &`;
const beside = `${daemon} exec "$@"`;
const ready = `${daemon} until [ -S ${socket} ]; do sleep 0.005; done; exec "$@"`;

const contenders = commands.flatMap(({ suffix, of, command }) => [
  { name: `init${suffix}`, what: `/init and ${of}`, flags: [], command },
  {
    name: `tini${suffix}`,
    what: `tini, the shell recipe, nix-daemon and ${of}`,
    flags: ['--entrypoint', '/bench/tini'],
    command: [
      '--',
      '/bin/sh',
      '/bench/recipe.sh',
      'sh',
      '-c',
      suffix === '' ? beside : ready,
      'sh',
      ...command,
    ],
  },
]);

/** `docker run --rm`, from the client's start to its end. */
export const docker: Measurement = {
  name: 'docker',
  rounds: { full: 40, quick: 8 },
  async run({ rounds }) {
    await installCommands({ 'tini-static': 'tini' });
    await using _engine = await openEngine();
    await using stack = new AsyncDisposableStack();
    // Both get both, so that Docker has as much to do for each.
    const flags = ['-v', '/usr/bin/tini-static:/bench/tini:ro'];
    flags.push('-v', `${join(repository, 'test/bench/recipe.sh')}:/bench/recipe.sh:ro`);
    const volumes = new Map<string, string>();
    for (const { name } of contenders) {
      const volume = stack.use(await makeVolume());
      const { exitCode, stderr } = await bootContainer({ volume: volume.name, command: ['/bin/true'] });
      if (exitCode !== 0) throw new Error(`the first boot failed: ${stderr}`);
      volumes.set(name, volume.name);
    }
    const runs = await inTurns(contenders, { rounds, warmUp: 2 }, async (contender) => {
      const args = await runArguments({
        volume: volumes.get(contender.name) ?? '',
        network: 'none',
        flags: [...flags, ...contender.flags],
        command: contender.command,
      });
      const start = performance.now();
      const { exitCode, stderr } = await runDocker('run', '--rm', ...args);
      const ms = performance.now() - start;
      if (exitCode !== 0) throw new Error(`${contender.name}: exit ${exitCode}: ${stderr}`);
      return ms;
    });
    return {
      rounds,
      sections: {
        milliseconds: {
          title: 'docker run --rm, milliseconds to its end',
          digits: 0,
          rows: contenders.map(({ name, what }) => ({ name, what, ...spreadOf(runs(name)) })),
        },
        ratios: {
          title: 'ratios within the rounds',
          digits: 3,
          rows: commands.map(({ suffix, of }) => ({
            name: 'init/tini',
            what: of,
            ...spreadOf(pairedRatios(runs(`init${suffix}`), runs(`tini${suffix}`))),
          })),
        },
      },
    };
  },
};
