import assert from 'node:assert/strict';
import { boot } from './container.ts';
import { docker, uniqueName } from './docker.ts';
import { nixImage } from './images.ts';
import { type Outcome, runOk } from './run.ts';

/** A container as somebody would run it who wants an overlay and nothing else. */
export interface Patient {
  /** Of `docker run`. */
  flags: string[];
  image?: string;
  /** What was done to the container before anything runs in it. */
  before?: string[];
}

/** What doctor prints for people. */
export interface Diagnosis {
  exitCode: number;
  /** By name: what was found, and what to type. */
  failed: Map<string, { found: string; remedy: string }>;
  /** What a boot would do. */
  summary: string;
}

export const allowed = ['--cap-add', 'SYS_ADMIN', '--security-opt', 'apparmor=unconfined'];
const strict = ['-e', 'NIX_CACHE_INIT_STRATEGY=overlay', '-e', 'NIX_CACHE_INIT_ON_UNSUPPORTED=fail'];

const failure = /^FAIL {2}(\S+(?: \S+)*) {2,}(\S+(?: \S+)*) {2,}.*\n {6}remedy: (.+)$/gm;

export async function diagnose(patient: Patient): Promise<Diagnosis> {
  const { exitCode, stdout, stderr } = await run(patient, ['nix-cache-init', 'doctor'], []);
  assert.equal(stderr, '');
  const rows = stdout.split('\n').filter((line) => line.startsWith('FAIL'));
  const failed = new Map(
    Array.from(stdout.matchAll(failure), ([, check = '', found = '', remedy = '']) => [
      check,
      { found, remedy },
    ]),
  );
  assert.equal(failed.size, rows.length, stdout);
  return { exitCode, failed, summary: stdout.trimEnd().split('\n').at(-1) ?? '' };
}

/** Boots it as it is meant to be. */
export const bootPatient = (patient: Patient, ...command: string[]): Promise<Outcome> =>
  run(patient, ['/init'], command);

function run({ flags, image, before = [] }: Patient, program: string[], args: string[]): Promise<Outcome> {
  const script = [...before, 'exec "$@"'].join('; ');
  return boot({
    grant: 'nothing',
    flags: [...strict, ...flags, '--entrypoint', 'sh'],
    before: ['-euc', script, 'sh', ...program],
    ...(image === undefined ? {} : { image }),
    command: args,
  });
}

/**
 * Types what was printed. Only a volume is called otherwise: whoever runs the tests may have one of that name.
 * @returns the container as it is from then on.
 */
export async function type(remedy: string, patient: Patient): Promise<Patient> {
  const { flags, before = [] } = patient;
  const added = /^docker run (.+)$/.exec(remedy)?.[1];
  if (added !== undefined) {
    // As a shell understands it.
    const words = (await runOk('sh', ['-euc', `printf '%s\\n' ${added}`])).split('\n');
    return { ...patient, flags: [...withoutVolume(flags, words), ...words.map(ownVolume)] };
  }
  const suggested = /^did you mean (NIX_\w+)\?$/.exec(remedy)?.[1];
  if (suggested !== undefined) {
    const corrected = flags.map((flag) => flag.replace(/^NIX_CACHE_INIT_\w+(?==)/, suggested));
    return { ...patient, flags: corrected };
  }
  if (remedy.startsWith('mkdir ')) return { ...patient, before: [...before, remedy] };
  if (remedy.startsWith('docker stop ')) {
    await runOk('sh', ['-euc', remedy]);
    return patient;
  }
  // On the volume or in the store, once and for all.
  const outcome = remedy.startsWith('nix-')
    ? await bootPatient(patient, 'sh', '-euc', remedy)
    : await run(patient, ['sh', '-euc', remedy], []);
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  return patient;
}

const place = ':/nix-cache';

/** A second volume at the same place is one too many. */
function withoutVolume(flags: readonly string[], words: readonly string[]): string[] {
  if (!words.some((word) => word.includes(place))) return [...flags];
  return flags.filter(
    (flag, index) => !flag.includes(place) && !(flag === '-v' && flags[index + 1]?.includes(place)),
  );
}

const named: string[] = [];

function ownVolume(word: string): string {
  if (!word.endsWith(place)) return word;
  const name = uniqueName('volume');
  named.push(name);
  return `${name}${place}`;
}

/** Docker made them when they were first named. */
export async function removeTypedVolumes(): Promise<void> {
  for (let name = named.pop(); name !== undefined; name = named.pop())
    await docker('volume', 'rm', '-f', name);
}

/** What doctor says first, and that what it says to type mends it: nothing of that fails any more, and a boot works. */
export async function assertMended(
  patient: Patient,
  expected: { exitCode: number; checks: Record<string, RegExp>; summary: RegExp },
  command: string[] = ['grep', '-q', '^overlay /nix/store overlay', '/proc/mounts'],
): Promise<void> {
  const { exitCode, failed, summary } = await diagnose(patient);
  for (const [check, found] of Object.entries(expected.checks)) {
    assert.match(failed.get(check)?.found ?? `${check} did not fail`, found);
  }
  assert.match(summary, expected.summary);
  assert.equal(exitCode, expected.exitCode, summary);
  let mended = patient;
  for (const check of Object.keys(expected.checks)) {
    mended = await type(failed.get(check)?.remedy ?? '', mended);
  }
  const after = await diagnose(mended);
  assert.deepEqual([after.exitCode, after.summary], [0, 'a boot here: strategy overlay']);
  for (const check of Object.keys(expected.checks)) assert.equal(after.failed.get(check), undefined, check);
  const booted = await bootPatient(mended, ...command);
  assert.equal(booted.exitCode, 0, booted.stderr);
}

/** Where it is the image of the product with a Nix. */
export const healthy = async (volume: string): Promise<Patient> => ({
  image: await nixImage(),
  flags: [...allowed, '-v', `${volume}${place}`],
});
