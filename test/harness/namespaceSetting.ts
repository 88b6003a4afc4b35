import { firstChild, type NamespaceBoot, startBoot } from './namespaceBoot.ts';
import { type Machine, makeMachine } from './namespaceMachine.ts';
import { openNamespaceTerminal } from './namespaceTerminal.ts';
import { type OpenSetting, runToEnd, type SettingBoot, startedWords } from './setting.ts';

/** As PID 1 of a PID namespace, or below a PID 1 that is not ours. All boots of it share one machine. */
export function namespaceSetting(name: 'pid1' | 'subreaper'): OpenSetting {
  let making: Promise<Machine> | undefined;
  const machine = (): Promise<Machine> => {
    making ??= makeMachine({ volume: 'none' });
    return making;
  };
  // Whatever a case that timed out has left goes with the setting.
  const started = new AsyncDisposableStack();
  const above = name === 'pid1' ? [] : ['perl', '/programs/other-init.pl'];
  const arrange = (command: readonly string[], boot: SettingBoot): NamespaceBoot => {
    const [program = '', ...args] = [...above, ...startedWords(command, boot)];
    const { env = {}, input } = boot;
    return { env, program: [program], args, ...(input !== undefined && { input }) };
  };
  const setting: OpenSetting = {
    name,
    async start(command, boot = {}) {
      const booted = started.use(await startBoot(await machine(), arrange(command, boot)));
      const pid = async (): Promise<number> => (name === 'pid1' ? booted.init : firstChildOf(booted.init));
      return {
        ...booted,
        pid,
        signal: async (signal) => {
          process.kill(await pid(), signal);
        },
      };
    },
    run: (command, boot) => runToEnd(setting.start(command, boot)),
    terminal: async (command, boot = {}) =>
      started.use(await openNamespaceTerminal(await machine(), arrange(command, boot))),
    async [Symbol.asyncDispose]() {
      await started.disposeAsync();
      if (making !== undefined) await (await making)[Symbol.asyncDispose]();
    },
  };
  return setting;
}

function firstChildOf(parent: number): number {
  const pid = firstChild(parent);
  if (pid === undefined) throw new Error(`process ${parent} has no child`);
  return pid;
}
