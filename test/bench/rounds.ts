/**
 * Measures the contenders in turns; compare the ratios within the rounds rather than times of different days.
 * @returns the results of each by its name, in the order of the rounds.
 */
export async function inTurns<C extends { name: string }, R>(
  contenders: readonly C[],
  { rounds, warmUp }: { rounds: number; warmUp: number },
  measure: (contender: C) => Promise<R>,
): Promise<(name: string) => R[]> {
  const results = new Map(contenders.map(({ name }) => [name, [] as R[]]));
  for (let round = -warmUp; round < rounds; round += 1) {
    // Backwards every other time, so that nobody always comes after the same other.
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const result = await measure(contender);
      if (round >= 0) results.get(contender.name)?.push(result);
    }
  }
  return (name) => results.get(name) ?? [];
}
