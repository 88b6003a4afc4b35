const places = Array.from({ length: 64 }, (_, place) => place);

/** The places of the ones in a mask, from 0. */
export function bitsOf(mask: bigint): number[] {
  return places.filter((place) => (mask >> BigInt(place)) & 1n);
}
