import { closest } from 'fastest-levenshtein';

/** The known word that a mistyped one most likely meant. */
export function nearest(word: string, known: readonly string[]): string {
  return closest(word, [...known]);
}
