import { type Boot, runArguments } from './container.ts';
import { docker, dockerOk, uniqueName } from './docker.ts';
import { follow, isAlive } from './following.ts';
import { programsImage } from './images.ts';
import { type OpenSetting, runToEnd, type SettingBoot, startedWords } from './setting.ts';
import { openTerminal } from './terminal.ts';

/** As PID 1 of a real container with Docker's default privileges. */
export function dockerSetting(): OpenSetting {
  // Whatever a case that timed out has left goes with the setting.
  const started = new AsyncDisposableStack();
  const setting: OpenSetting = {
    name: 'docker',
    async start(command, boot = {}) {
      const name = uniqueName('matrix');
      const interactive = boot.input === undefined ? [] : ['-i'];
      const options = ['--rm', '--name', name, ...interactive];
      const args = ['run', ...options, ...(await runArguments(await bootOf(command, boot)))];
      const following = follow('docker', args, boot.input);
      return started.use({
        ...following,
        pid: async () => Number(await dockerOk('inspect', '--format', '{{.State.Pid}}', name)),
        signal: async (signal) => {
          await dockerOk('kill', '-s', `${signal}`, name);
        },
        async [Symbol.asyncDispose]() {
          if (isAlive(following.child)) await docker('rm', '-f', '-v', name);
          await following.ended;
        },
      });
    },
    run: (command, boot) => runToEnd(setting.start(command, boot)),
    terminal: async (command, boot = {}) => started.use(await openTerminal(await bootOf(command, boot))),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
  return setting;
}

async function bootOf(command: readonly string[], boot: SettingBoot): Promise<Boot> {
  const [entry = '', ...before] = startedWords(command, boot);
  return {
    image: await programsImage(),
    grant: 'nothing',
    env: boot.env ?? {},
    flags: [...(boot.docker ?? []), '--entrypoint', entry],
    before,
    command: [],
  };
}
