import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { peers, peersRoot } from '../harness/base.ts';
import { ensureDist } from '../harness/dist.ts';
import { rootfs } from '../harness/paths.ts';
import { runOk } from '../harness/run.ts';
import type { Measurement, Row } from './measurement.ts';

/** What is added to an image. */
export const size: Measurement = {
  name: 'size',
  rounds: { full: 1, quick: 1 },
  async run() {
    await ensureDist();
    const parts = filesBelow(rootfs)
      .map((path) => ({ path, bytes: statSync(path).size }))
      .sort((a, b) => b.bytes - a.bytes);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const packed = Number(await runOk('sh', ['-euc', 'tar -C "$1" -c . | gzip -9 | wc -c', 'sh', rootfs]));
    const status = readFileSync(join(await peersRoot(), 'var/lib/dpkg/status'), 'utf8');
    return {
      rounds: 1,
      sections: {
        whole: {
          title: 'dist/rootfs',
          digits: 1,
          rows: [
            { name: 'init', what: 'all of it', bytes },
            { name: 'init', what: 'as a layer that is pulled (tar, gzip -9)', bytes: packed },
            ...parts
              .slice(0, 5)
              .map((part): Row => ({ name: '', what: part.path.slice(rootfs.length), bytes: part.bytes })),
          ],
        },
        peers: {
          title: "Debian's packages, as dpkg has their installed size, without what they depend on",
          digits: 1,
          rows: peers.map((name) => ({ name, what: '', bytes: installedSize(status, name) })),
        },
      },
    };
  },
};

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Of a package's paragraph, which has it in KiB. */
function installedSize(status: string, name: string): number {
  const paragraph = status.split('\n\n').find((one) => one.startsWith(`Package: ${name}\n`)) ?? '';
  const size = /^Installed-Size: (\d+)$/m.exec(paragraph)?.[1];
  if (size === undefined) throw new Error(`${name} is not installed`);
  return Number(size) * 1024;
}
