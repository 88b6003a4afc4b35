import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './paths.ts';

/** The code blocks of a page of ours that are in a language, or have none: what it has its readers type. */
export function snippets(page: string, language = ''): string[] {
  const text = readFileSync(join(repository, page), 'utf8');
  const blocks = text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm);
  return Array.from(blocks).flatMap(([, of, code]) => (of === language && code !== undefined ? [code] : []));
}
