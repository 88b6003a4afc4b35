import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Systemd from 'node-linux/lib/systemd.js';
import { type Manager, templates } from './templates.ts';

export type ServiceRequest = {
  manager: Manager;
  /** Where the volume is, which has to be mounted before. */
  cacheDir: string;
  /** What `mount` and `unmount` are to be given besides. */
  options: readonly string[];
};

/** The text of the unit or script that mounts the volume at boot. */
export async function generateService({ manager, cacheDir, options }: ServiceRequest): Promise<string> {
  const quote = manager === 'systemd' ? quoteForUnit : quoteForShell;
  const work = await mkdtemp(join(tmpdir(), 'nix-cache-init-'));
  try {
    const template = join(work, manager);
    await writeFile(template, templates[manager]);
    const settings = {
      name: 'nix-cache-init',
      description: 'Lays the Nix cache under the store',
      template,
      path: quote(cacheDir),
      wrappercode: options.map((option) => ` ${quote(option)}`).join(''),
    };
    return await render(settings);
  } finally {
    await rm(work, { recursive: true });
  }
}

function render(settings: ConstructorParameters<typeof Systemd>[0]): Promise<string> {
  // The parser of its templates makes buffers as one did once.
  process.noDeprecation = true;
  return new Promise((resolve) => new Systemd(settings).generate(resolve));
}

/** systemd.syntax(7), systemd.service(5): specifiers, variables, and quotes. */
const quoteForUnit = (text: string): string => {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
};

const quoteForShell = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
