import type { Config } from '../config/keys.ts';
import { NIX_DAEMON } from '../config/services.ts';
import { Exit, InitError } from '../errors.ts';
import type { Facts } from './facts.ts';
import { none } from './none.ts';
import { overlay } from './overlay.ts';
import type { Plan, Step, StrategyName } from './plan.ts';
import type { Strategy, Unsupported } from './strategy.ts';

export type Selection = {
  /** Undefined when none of them can work here. */
  plan: Plan | undefined;
  /** The strategies before it, which cannot work here. */
  passedOver: { strategy: StrategyName; why: Unsupported }[];
  /** Those after it, in case applying the plan shows what no fact did. */
  rest: readonly StrategyName[];
};

/** Those that are not the usual ones are loaded when it comes to them: each boot would pay for it. */
const strategies: Readonly<Record<StrategyName, () => Promise<Strategy>>> = {
  overlay: async () => overlay,
  'local-overlay': async () => (await import('./local-overlay.ts')).localOverlay,
  prefix: async () => (await import('./prefix.ts')).prefix,
  host: async () => (await import('./host.ts')).host,
  substituter: async () => (await import('./substituter.ts')).substituter,
  none: async () => none,
};

/** All there are. */
export const allStrategies = Object.keys(strategies) as readonly StrategyName[];

/** Those that nobody has to ask for by name, the best first. */
const automatic: readonly StrategyName[] = ['overlay', 'substituter', 'none'];

/** In the order in which `auto`, or a fallback, tries them (DESIGN §5). */
export function candidates({ strategy, onUnsupported }: Config): readonly StrategyName[] {
  if (strategy === 'none') return ['none'];
  const names =
    strategy === 'auto' ? automatic : [strategy, ...fallbacks(strategy).filter((name) => name !== strategy)];
  return onUnsupported === 'fallback' ? names : names.slice(0, 1);
}

/** Over the host's store no volume must be laid: what that has is for the image's, and would be taken for vanished. */
const fallbacks = (strategy: StrategyName): readonly StrategyName[] =>
  strategy === 'host' ? ['none'] : automatic;

/** Takes the first strategy that the facts allow. */
export async function select(
  facts: Facts,
  config: Config,
  possible = candidates(config),
): Promise<Selection> {
  const passedOver: Selection['passedOver'] = [];
  for (const [index, name] of possible.entries()) {
    const strategy = await strategies[name]();
    const why = strategy.unsupported(facts, config);
    if (why === undefined) {
      const own = strategy.plan(facts, config);
      const steps = [
        ...withUnmarking(facts, own),
        ...daemonSteps(facts, config, strategy, own),
        ...serviceSteps(config),
        ...(await pushSteps(facts, config, name)),
      ];
      return { plan: { strategy: name, steps }, passedOver, rest: possible.slice(index + 1) };
    }
    passedOver.push({ strategy: name, why });
  }
  return { plan: undefined, passedOver, rest: [] };
}

/** Once the volume is ours: who is refused changes nothing. */
function withUnmarking({ markedConfs: files }: Facts, own: readonly Step[]): Step[] {
  const locked = own.findIndex((step) => step.do === 'lock') + 1;
  return files.length > 0 ? own.toSpliced(locked, 0, { do: 'unmark', files }) : [...own];
}

/**
 * Whether nix-daemon is ours to start: asked for, or found and of use. `none` by choice means a plain PID 1; `none` as
 * a fallback has nowhere to put the socket when the image is read-only.
 */
function wantsDaemon(facts: Facts, config: Config, strategy: StrategyName): boolean {
  const enabled = config['daemon.enabled'];
  if (enabled !== 'auto') return enabled;
  if (config.strategy === 'none' || (strategy === 'none' && facts.stateReadOnly)) return false;
  return facts.daemon.path !== undefined && facts.root && facts.storeDir;
}

/** @throws {InitError} 78 when the daemon was asked for by name and is not there. */
function daemonSteps(facts: Facts, config: Config, strategy: Strategy, own: readonly Step[]): Step[] {
  const start = strategy.daemon?.(facts, config) ?? {};
  if (start === 'none' || !wantsDaemon(facts, config, strategy.name)) return [];
  const { path, socket } = facts.daemon;
  const hidden = own.some((step) => step.do === 'bind' && step.target === config.stateDir);
  if (facts.socketMounted && !hidden) {
    // To listen there would take the place of another daemon's socket, for all who use it.
    if (config['daemon.enabled'] === 'auto') return [];
    throw new InitError({
      stage: 'daemon',
      what: `${socket} is another daemon's: it is on a mount of its own`,
      errno: 'EADDRINUSE',
      remedy: 'set daemon.enabled=false, or strategy=host to use that daemon',
      exitCode: Exit.config,
    });
  }
  const command = config['daemon.command'];
  if (path !== undefined) return [{ do: 'listen', socket, service: NIX_DAEMON, command: path, ...start }];
  throw new InitError({
    stage: 'daemon',
    what: `${command} was not found`,
    errno: 'ENOENT',
    remedy: 'install Nix into the image, set daemon.command, or daemon.enabled=false',
    exitCode: Exit.config,
  });
}

/** Few boots push, and the others do without the code for it. */
async function pushSteps(facts: Facts, config: Config, strategy: StrategyName): Promise<Step[]> {
  if (config['push.to'].length === 0) return [];
  const { push } = await import('./push.ts');
  return push(facts, config, strategy);
}

function serviceSteps({ services }: Config): Step[] {
  return Object.entries(services).flatMap(([service, { listen, command }]): Step[] =>
    listen === undefined ? [] : [{ do: 'listen', socket: listen, service, command }],
  );
}

/** Whether a boot that failed so goes on with the next strategy, if there is one: whether mounting is denied no fact tells. */
export const goesOnAfter = ({ unfit }: InitError): boolean => unfit;

/** The error for a strategy that was asked for and cannot work. */
export const refusal = (why: Unsupported): InitError => new InitError(why);
