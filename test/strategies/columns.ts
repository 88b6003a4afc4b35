import assert from 'node:assert/strict';
import { buildLine } from '../harness/nix.ts';
import { beginAnew, type NixMachine } from '../harness/nixMachine.ts';
import { type Outcome, tail } from '../harness/run.ts';
import {
  another,
  type Conditions,
  readOnlyRoot,
  run,
  type Strategy,
  start,
  ways,
  withHost,
  withoutSysAdmin,
} from './ways.ts';

/** What a cell of the table says. */
export type Cell =
  | 'works'
  | 'not kept'
  | 'cannot build'
  | 'refused'
  | 'one writes, others read'
  | 'one at a time'
  | 'each its own'
  | 'all write'
  | "the host's";

type Scenario = (nix: NixMachine, strategy: Strategy) => Promise<Cell>;

/** Packages that would be another if they were built again. */
export const build = (name: string): string => `path=$(${buildLine(name)}); cat $path/unique`;
const develop = "nix develop --offline -f /shell.nix -c sh -c 'cat $dep/unique'";

/** The documented line, before anything has run. */
function isRefusal({ exitCode, stdout, stderr }: Outcome): boolean {
  if (![74, 77, 78].includes(exitCode)) return false;
  assert.equal(stdout, '');
  assert.match(stderr, /^nix-cache-init: [^:]+: .+: E[A-Z]+ \(.+\)$/m);
  if (process.env['NCI_TEST_WHY']) console.log(stderr.trim());
  return true;
}

export function succeeded({ exitCode, stdout, stderr }: Outcome): string {
  assert.equal(exitCode, 0, tail(`${stdout}\n${stderr}`));
  return stdout.trim();
}

/** What a container has made, a new one has without making it. */
function keeps(
  script: string,
  { image = 'A', conditions = {} }: { image?: 'A' | 'C'; conditions?: Conditions } = {},
): Scenario {
  return async (nix, strategy) => {
    const first = await run(nix, strategy, script, conditions);
    if (isRefusal(first)) return 'refused';
    if (/^error: .*(Read-only file system|remounting \S+ writable)/m.test(first.stderr))
      return 'cannot build';
    const made = succeeded(first);
    await nix.switchImage(image);
    const second = await run(nix, strategy, script, conditions);
    if (succeeded(second) !== made) return 'not kept';
    assert.doesNotMatch(second.stderr, /^building '/m);
    return 'works';
  };
}

const collect = `
  nix-build /packages.nix -A c -o /tmp/kept >/dev/null
  big=$(${buildLine('big')})
  nix-collect-garbage >/dev/null
  test ! -e $big
  cat /tmp/kept/unique`;

const collects: Scenario = async (nix, strategy) => {
  if (strategy === 'host') return await leavesGarbage(nix, strategy);
  assert.match(succeeded(await run(nix, strategy, collect)), /^[0-9a-f-]{36}$/);
  return 'works';
};

/** What nobody roots is there still when the container has gone. */
const leavesGarbage: Scenario = async (nix, strategy) => {
  const path = succeeded(await run(nix, strategy, buildLine('big')));
  assert.equal(succeeded(await run(nix, strategy, `ls ${path}`)), 'b\nbig');
  return "the host's";
};

const asUser: Scenario = async (nix, strategy) => {
  const { prepare = '', ...conditions }: (typeof ways)[Strategy]['asUser'] & { prepare?: string } =
    ways[strategy].asUser;
  // A new container's store is its image's again.
  const anew: NixMachine = {
    ...nix,
    switchImage: async (image) => {
      await nix.switchImage(image);
      await nix.machine.shell(prepare);
    },
  };
  await nix.machine.shell(prepare);
  return keeps(`test $(id -u) != 0; ${build('c')}`, { conditions })(anew, strategy);
};

const onRamfs: Scenario = async (nix, strategy) => {
  await nix.machine.shell('mount -t ramfs volume nix-cache');
  try {
    return await keeps(build('c'))(nix, strategy);
  } finally {
    await nix.machine.shell('umount nix-cache');
  }
};

const several: Scenario = async (nix, strategy) => {
  await using first = await start(nix, strategy, `${build('c')}; echo made; exec sleep infinity`);
  await first.waitFor(/made/);
  const made = /[0-9a-f-]{36}/.exec(first.output())?.[0];
  const beside: Conditions = strategy === 'host' ? {} : another;
  const second = await run(nix, strategy, build('c'), beside);
  if (second.exitCode !== 75) return succeeded(second) === made ? 'all write' : 'each its own';
  const reader = await run(nix, strategy, build('c'), { ...beside, flags: ['--access=read-only'] });
  if (isRefusal(reader)) return 'one at a time';
  assert.equal(succeeded(reader), made);
  return 'one writes, others read';
};

export const columns = {
  restart: keeps(build('c')),
  'image upgrade': keeps(build('e'), { image: 'C' }),
  'garbage collection': collects,
  'not root': asUser,
  'read-only root': keeps(build('c'), { conditions: readOnlyRoot }),
  'no SYS_ADMIN': keeps(build('c'), { conditions: withoutSysAdmin }),
  'no xattrs': onRamfs,
  '`nix develop`': keeps(develop),
  'several containers': several,
} as const satisfies Record<string, Scenario>;

export type Column = keyof typeof columns;
export const columnNames = Object.keys(columns) as Column[];

/** Fills one cell by doing it, with a volume and a container as if new. */
export async function fillCell(nix: NixMachine, strategy: Strategy, column: Column): Promise<Cell> {
  await beginAnew(nix);
  const fill = (ground: NixMachine): Promise<Cell> => columns[column](ground, strategy);
  return await (strategy === 'host' ? withHost(nix, fill) : fill(nix));
}
