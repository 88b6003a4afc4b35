import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import { loadConfig } from '../../src/config/load.ts';
import { readExamples } from '../harness/docs.ts';
import { repository } from '../harness/paths.ts';
import { temporaryDirectory } from './fixtures.ts';

const examples = readExamples();

test('every block says what it is, and why it is not run where it is not', () => {
  assert.ok(examples.length > 20);
  for (const { place, language, notRun, comment } of examples) {
    assert.match(language, /^(sh|json|toml|dockerfile|text|nix|bash|zsh|fish)$/, place);
    if (comment !== undefined) assert.ok(notRun !== undefined && language !== 'text', place);
  }
});

test('what a block says is not run, but by a test, is there', () => {
  for (const { place, notRun } of examples) {
    const [file] = /test\/\S+\.test\.ts/.exec(notRun ?? '') ?? [];
    if (file !== undefined) assert.ok(existsSync(join(repository, file)), `${place}: ${file}`);
  }
});

for (const { place, language, text, notRun } of examples) {
  if (notRun !== undefined) continue;
  if (language === 'json') {
    test(`${place} is a configuration`, async () => {
      using directory = temporaryDirectory();
      const file = join(directory.path, 'config.json');
      writeFileSync(file, text);
      const { origins } = await loadConfig({ flags: new Map(), env: {}, file });
      assert.ok(Object.values(origins).includes(`file ${file}`));
    });
  }
  if (language === 'toml') {
    test(`${place} is TOML, whose variables of ours are a configuration`, async () => {
      const { envs } = parse(text) as { envs: Record<string, string> };
      await loadConfig({ flags: new Map(), env: envs });
    });
  }
}

test('links within the docs lead to what is there', () => {
  const pages = [...new Set(examples.map(({ place }) => place.split(':')[0] ?? ''))];
  for (const page of pages) {
    const text = readFileSync(join(repository, page), 'utf8');
    for (const [, to = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(to)) continue;
      const [path = '', anchor] = to.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(repository, target)), `${page}: ${to}`);
      if (anchor === undefined) continue;
      const headings = readFileSync(join(repository, target), 'utf8').matchAll(/^#+ (.*)$/gm);
      const anchors = Array.from(headings, ([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      );
      assert.ok(anchors.includes(anchor), `${page}: ${to}`);
    }
  }
});
