import type { Config } from '../config/keys.ts';
import { Exit, InitError } from '../errors.ts';
import { isOverlayOn, readMountInfo } from '../linux/mountinfo.ts';
import type { Log } from '../log.ts';
import { type ApplyContext, apply } from '../store/apply.ts';
import { type Facts, gatherFacts } from '../store/facts.ts';
import { findLeftovers } from '../store/leftovers.ts';
import type { Plan, Step } from '../store/plan.ts';
import { runLayout } from '../store/run-layout.ts';
import { refusal, select } from '../store/select.ts';
import { unmountOrDetach } from '../store/undo.ts';
import { volumeLayout } from '../volume/layout.ts';
import { assertFree } from '../volume/lock.ts';
import { deleteTree } from '../volume/trash.ts';
import { alone } from './alone.ts';
import { assertNoDaemon } from './daemon.ts';
import {
  type HookPlaces,
  type HookRecord,
  readHookRecord,
  removeHookRecord,
  writeHookRecord,
} from './record.ts';

export type MountRequest = { config: Config; log: Log; signal: AbortSignal };

/**
 * Lays the volume under the store, and leaves it so: the boot hook of a machine with an init of its own.
 * @throws {InitError} 75 when the volume or the store is in use, 77 without the privileges, 78 for a strategy that mounts nothing.
 */
export function mountHere({ config, log, signal }: MountRequest): Promise<void> {
  return alone(signal, async () => {
    if (isDone(config, log)) return;
    const own = withoutServices(config);
    const facts = await gatherFacts(own, process.env);
    const plan = await planHook(facts, own);
    assertNoDaemon(facts.daemon.socket, own.stateDir);
    const { cacheDir, storeDir, stateDir } = own;
    const record: HookRecord = { ...plan, hook: { cacheDir, storeDir, stateDir, complete: false } };
    writeHookRecord(record);
    const timings = await applyOrForget(plan, { log, signal, exitOf });
    await deleteSuperseded(plan, log);
    const steps = plan.steps.map((step, index) => ({ ...step, ms: timings[index] }));
    writeHookRecord({ ...record, steps, hook: { ...record.hook, complete: true } });
  });
}

/** What failed is undone, and leaves nothing to be undone. */
async function applyOrForget(plan: Plan, context: ApplyContext): Promise<number[]> {
  try {
    return (await apply(plan, context)).timings;
  } catch (error) {
    removeHookRecord();
    throw error;
  }
}

/**
 * Whether an earlier one has done it all. What a killed one left is taken down.
 * @throws {InitError} 75 when it was done for other places, or by an init that runs.
 */
function isDone(config: Config, log: Log): boolean {
  const record = readHookRecord();
  const left = findLeftovers(readMountInfo(), { ...config, ...record?.hook });
  if (left.length === 0) return false;
  if (record?.hook.complete !== true) {
    if (record === undefined) assertFree('mounts', runLayout.claim);
    log.warn('taking down what a mount or an init that was killed has left');
    for (const target of left) unmountOrDetach(target, log);
    return false;
  }
  const { storeDir, cacheDir } = record.hook;
  const whole = readMountInfo().some(
    (mount) =>
      isOverlayOn(mount, storeDir, volumeLayout(cacheDir).upper) ||
      isOverlayOn(mount, storeDir, runLayout.upper),
  );
  if (whole && isSame(record.hook, config)) return true;
  throw new InitError({
    stage: 'mount',
    what: whole
      ? `${cacheDir} is mounted over ${storeDir} already, with other settings`
      : `something of what was mounted over ${storeDir} is gone`,
    errno: 'EBUSY',
    remedy: 'nix-cache-init unmount, and once more',
    exitCode: Exit.locked,
  });
}

const isSame = (places: HookPlaces, config: Config): boolean =>
  places.cacheDir === config.cacheDir &&
  places.storeDir === config.storeDir &&
  places.stateDir === config.stateDir;

/** The daemon and its socket are the business of the machine's own init. */
const withoutServices = (config: Config): Config => ({ ...config, 'daemon.enabled': false, services: {} });

async function planHook(facts: Facts, config: Config): Promise<Plan> {
  const { strategy, stateDir } = config;
  if (strategy !== 'auto' && strategy !== 'overlay') {
    throw new InitError({
      stage: 'config',
      what: `strategy ${strategy} is not one for mount: it needs an init that stays`,
      errno: 'EINVAL',
      remedy: 'set strategy=overlay, or use nix-cache-init run',
      exitCode: Exit.config,
    });
  }
  const { plan, passedOver } = await select(facts, config, ['overlay']);
  if (plan === undefined) {
    const [why] = passedOver;
    throw why === undefined ? new RangeError('no strategy to choose from') : refusal(why.why);
  }
  // As nix-daemon.socket has it: ConditionPathIsReadWrite.
  const sockets: Step = { do: 'mkdir', path: `${stateDir}/daemon-socket`, mode: 0o755 };
  return { ...plan, steps: [...plan.steps.map(staying), sockets] };
}

/** A step as it has to be where no process stays, and where systemd has made all mounts shared. */
function staying(step: Step): Step {
  if (step.do === 'lock') return { ...step, orRead: false, stays: true };
  return step.do === 'bind' ? { ...step, apart: true } : step;
}

/** Only what keeps paths beside a command runs programs. */
const exitOf = (): Promise<never> => Promise.reject(new RangeError('nobody waits for children here'));

async function deleteSuperseded({ steps }: Plan, log: Log): Promise<void> {
  for (const step of steps) if (step.do === 'reconcile') await deleteTree(step.files.superseded, log);
}
