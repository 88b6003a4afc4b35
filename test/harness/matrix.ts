import { after, suite } from 'node:test';
import { engineMissing } from './containerTest.ts';
import { dockerSetting } from './dockerSetting.ts';
import { testOnGround } from './ground.ts';
import { namespaceSetting } from './namespaceSetting.ts';
import { namespacesMissing } from './namespaceTest.ts';
import type { OpenSetting, Setting, SettingName } from './setting.ts';

export interface CaseOptions {
  /** Where the case is not run, and why: counted and shown by width.test.ts. */
  except?: Partial<Record<SettingName, string>>;
}

export type MatrixCase = (
  name: string,
  body: (setting: Setting) => Promise<void>,
  options?: CaseOptions,
) => void;

const settings: Record<SettingName, { title: string; missing: string | undefined; open: () => OpenSetting }> =
  {
    pid1: { title: 'as PID 1', missing: namespacesMissing, open: () => namespaceSetting('pid1') },
    subreaper: {
      title: 'as a subreaper',
      missing: namespacesMissing,
      open: () => namespaceSetting('subreaper'),
    },
    docker: { title: 'in Docker', missing: engineMissing, open: dockerSetting },
  };

export const settingNames = Object.keys(settings) as SettingName[];

/** How many cases run, and of the others how many for which reason. */
export type Count = { run: number; except: Map<string, number> };

/** While it is set, cases are counted and not registered. */
let counting: Record<SettingName, Count> | undefined;

/** A bound for hangs only. */
const HANG_MS = 90_000;

/** Most of a case is waiting: for namespaces, for Docker, for a grace. */
const concurrency = 4;

/**
 * What a PID 1 owes, case by case (DESIGN §7). Each case is defined once, and run as PID 1 of a PID namespace, below
 * another PID 1, and in real Docker.
 */
export function matrix(title: string, define: (matrixCase: MatrixCase) => void): void {
  for (const name of settingNames) {
    if (counting === undefined) register(`${title}, ${settings[name].title}`, name, define);
    else count(counting[name], name, define);
  }
}

/** How many cases the given modules define. */
export async function countCases(load: () => Promise<void>): Promise<Record<SettingName, Count>> {
  const none = (): Count => ({ run: 0, except: new Map() });
  const counted = { pid1: none(), subreaper: none(), docker: none() };
  counting = counted;
  await load();
  counting = undefined;
  return counted;
}

function register(title: string, name: SettingName, define: (matrixCase: MatrixCase) => void): void {
  const { missing, open } = settings[name];
  suite(title, { concurrency }, () => {
    const setting = open();
    after(() => setting[Symbol.asyncDispose]());
    define((what, body, { except } = {}) => {
      if (except?.[name] === undefined) testOnGround(missing, what, () => body(setting), HANG_MS);
    });
  });
}

function count(into: Count, name: SettingName, define: (matrixCase: MatrixCase) => void): void {
  define((_, __, { except } = {}) => {
    const why = except?.[name];
    if (why === undefined) into.run += 1;
    else into.except.set(why, (into.except.get(why) ?? 0) + 1);
  });
}
