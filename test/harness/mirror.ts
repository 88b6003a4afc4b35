import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The Debian mirror this machine uses: the only one known to be reachable from here. */
export function readDebianMirror(aptDirectory = '/etc/apt'): string {
  for (const file of sourceFiles(aptDirectory)) {
    const text = readFileSync(file, 'utf8');
    const found = file.endsWith('.sources') ? fromDeb822(text) : fromOneLine(text);
    if (found !== undefined) return found;
  }
  throw new Error(`no Debian mirror in ${aptDirectory}: this needs a Debian machine with a working apt`);
}

function sourceFiles(aptDirectory: string): string[] {
  const list = (path: string): string[] => {
    try {
      return readdirSync(path).map((name) => join(path, name));
    } catch {
      return [];
    }
  };
  const files = [...list(aptDirectory), ...list(join(aptDirectory, 'sources.list.d'))];
  return files.filter((file) => /\.(list|sources)$/.test(file)).sort();
}

function fromDeb822(text: string): string | undefined {
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name: string): string[] =>
      new RegExp(`^${name}:(.*)$`, 'mi').exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    const uri = field('URIs')[0];
    if (uri !== undefined && isMainArchive(uri, field('Suites'), field('Components'))) return uri;
  }
  return undefined;
}

function fromOneLine(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, uri, suite, components] = /^deb\s+(?:\[.*?\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (uri && suite && isMainArchive(uri, [suite], (components ?? '').split(/\s+/))) return uri;
  }
  return undefined;
}

/** Third parties have a `main` too, so the path has to look like Debian's as well. */
function isMainArchive(uri: string, suites: string[], components: string[]): boolean {
  const isDebian = /^https?:/.test(uri) && /debian/.test(uri) && !/security/.test(uri);
  return isDebian && components.includes('main') && suites.some((suite) => /^[a-z]+$/.test(suite));
}
