import { globSync, readFileSync } from 'node:fs';
import { repository } from './paths.ts';

export type ErrorText = { file: string; text: string };

const literal = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\x60(?:\\.|\$\{(?:[^{}]|\{[^{}]*\})*\}|[^\x60\\])*\x60`;

/** Where the source says what went wrong: as a field, or to one of the functions that make an error of it. */
const places = new RegExp(
  String.raw`\b(?:what\s*[:=]|(?:fault|refuse|refusal|misfit|unusable)\(|volumeFault\(\w+,|toInitError\(error, '\w+',)\s*(?:[^'"\x60;,{}()]*\?\s*)?(${literal})(?:\s*:\s*(${literal}))?`,
  'g',
);

/** What the source has for the middle of an error's line; `…` stands for what is only known when it happens. */
export function errorTexts(): ErrorText[] {
  const files = globSync('src/**/*.ts', { cwd: repository }).filter(
    (file) => !file.startsWith('src/doctor/'),
  );
  return files.sort().flatMap((file) => {
    const source = withoutComments(readFileSync(`${repository}/${file}`, 'utf8'));
    const texts = Array.from(source.matchAll(places), ([, one, other]) => [one, other]);
    return texts.flat().flatMap((text) => (text === undefined ? [] : [{ file, text: spoken(text) }]));
  });
}

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');

const spoken = (text: string): string =>
  text
    .slice(1, -1)
    .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…')
    .replaceAll(/\\(.)/g, '$1');
