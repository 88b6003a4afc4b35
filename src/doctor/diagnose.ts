import { hostname } from 'node:os';
import type { CommandLine } from '../config/flags.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { InitError } from '../errors.ts';
import { readMountInfo } from '../linux/mountinfo.ts';
import { createLog } from '../log.ts';
import { gatherFacts } from '../store/facts.ts';
import { settlePrivileges } from '../supervise/privileges.ts';
import { type Finding, fault, fine } from './check.ts';
import { kernelChecks, namespaceCheck } from './kernel.ts';
import { limitChecks } from './limits.ts';
import { lockCheck } from './lock.ts';
import { nixChecks } from './nix.ts';
import { placeChecks } from './places.ts';
import { commandCheck, privilegeChecks } from './privilege.ts';
import { isRunningHere, lookAtLock } from './probe/lock.ts';
import { lookAtNix } from './probe/nix.ts';
import { refusalOf } from './probe/refusal.ts';
import { lookAtConfinement, lookAtKernel, lookAtPlaces } from './probe/surroundings.ts';
import { probeVolume } from './probe/volume.ts';
import { judge, type Verdict } from './verdict.ts';
import { volumeChecks } from './volume.ts';

export type Diagnosis = Verdict & { checks: Finding[] };

const needed = 'known keys, allowed values';

/** What is warned of at a boot, a boot says. */
const silence = createLog({ 'log.level': 'silent', 'log.format': 'text' });

/** Can it work here? Looks, and tries where looking tells nothing; nothing of that stays. */
export async function diagnose(
  { flags, file }: Pick<CommandLine, 'flags' | 'file'>,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Diagnosis> {
  let loaded: LoadedConfig;
  try {
    loaded = await loadConfig({ flags, file, env });
  } catch (error) {
    if (!(error instanceof InitError)) throw error;
    // All else depends on it.
    return withoutConfiguration(error);
  }
  const { config } = loaded;
  const mounts = readMountInfo();
  const facts = await gatherFacts(config, env, { host: true });
  const { state, trial } = await probeVolume(facts, config, mounts, signal);
  const checks = [
    fine('configuration', `strategy ${config.strategy}`, needed),
    ...kernelChecks(lookAtKernel(), trial),
    namespaceCheck(facts),
    ...privilegeChecks(facts, lookAtConfinement(), trial),
    commandCheck(
      config,
      refusalOf(() => settlePrivileges(config, facts.credentials, silence)),
    ),
    ...placeChecks(facts, lookAtPlaces(mounts, env)),
    ...volumeChecks(facts, config, state, trial),
    ...(state === undefined ? [] : [lockCheck(lookAtLock(config.cacheDir), config)]),
    ...nixChecks(
      facts,
      config,
      await lookAtNix(facts, config, env),
      isRunningHere() ? hostname() : undefined,
    ),
  ];
  return { checks: [...checks, ...limitChecks(config)], ...(await judge(facts, config, checks)) };
}

function withoutConfiguration({ what, remedy, message, exitCode }: InitError): Diagnosis {
  return {
    checks: [fault('configuration', what, needed, remedy)],
    strategies: [],
    chosen: null,
    exitCode,
    line: `a boot here: refused with ${exitCode}: ${message}`,
  };
}
