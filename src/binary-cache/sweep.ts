import { readFileSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { hasErrno } from '../errors.ts';
import type { Running } from '../nix/program.ts';

/** Names this run of the kernel: what was written in another may have been cut off by a power cut. */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();

/**
 * Takes away what an interrupted writing left. Nix writes under another name first and renames (local-binary-cache-store.cc),
 * so a kill leaves such names and nothing else; but it does not flush, so a power cut may have cut off anything.
 * @param thorough also looks whether what is described is there and whole.
 */
export async function sweepCache(
  cache: string,
  thorough: boolean,
  { log, signal }: Pick<Running, 'log' | 'signal'>,
): Promise<void> {
  const names = await readdir(cache);
  const nars = await readdir(`${cache}/nar`);
  const temporary = [...names, ...nars.map((name) => `nar/${name}`)].filter((name) => isTemporary(name));
  for (const name of temporary) await rm(`${cache}/${name}`, { force: true });
  const torn = thorough ? await findTorn(cache, names, nars, signal) : [];
  for (const name of torn) await rm(`${cache}/${name}`, { force: true });
  if (temporary.length + torn.length > 0)
    log.info('took away what an interrupted writing left in the binary cache', {
      temporary: temporary.length,
      torn: torn.length,
    });
}

/** What describes no NAR that is whole, and NARs that nothing whole describes: Nix would take one by that name for written. */
async function findTorn(
  cache: string,
  names: readonly string[],
  nars: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const torn: string[] = [];
  const whole = new Set<string>();
  for (const name of names.filter((one) => one.endsWith('.narinfo'))) {
    signal.throwIfAborted();
    const nar = await wholeNar(cache, name);
    if (nar === undefined) torn.push(name);
    else whole.add(nar);
  }
  return [...torn, ...nars.map((name) => `nar/${name}`).filter((nar) => !whole.has(nar))];
}

const isTemporary = (name: string): boolean => /\.tmp\.\d+\.\d+$/.test(name);

/** The NAR that a narinfo describes, if both are whole. */
async function wholeNar(cache: string, name: string): Promise<string | undefined> {
  const text = await readFile(`${cache}/${name}`, 'utf8');
  const field = (key: string): string | undefined => new RegExp(`^${key}: (.+)$`, 'm').exec(text)?.[1];
  const url = field('URL');
  // It ends with its signature.
  if (url === undefined || !/^nar\/[^/]+$/.test(url) || !/^Sig: .+\n$/m.test(text)) return undefined;
  return (await sizeOf(`${cache}/${url}`)) === Number(field('FileSize')) ? url : undefined;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
