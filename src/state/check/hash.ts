const BASE32 = '0123456789abcdfghijklmnpqrsvwxyz';
const SHA256_BYTES = 32;

/**
 * A SHA-256 as Nix writes it (src/libutil/hash.cc): with its type before `:` or, as in SRI, `-`; in base 16, in Nix's own base 32,
 * or in base 64.
 * @returns it in base 16; undefined for anything else.
 */
export function parseSha256(text: string): string | undefined {
  const digest = /^sha256[:-](.+)$/.exec(text)?.[1] ?? '';
  if (/^[0-9a-f]{64}$/i.test(digest)) return digest.toLowerCase();
  if (digest.length === 52) return fromBase32(digest);
  const bytes = /^[A-Za-z0-9+/]{43}=$/.test(digest) ? Buffer.from(digest, 'base64') : undefined;
  return bytes?.length === SHA256_BYTES ? bytes.toString('hex') : undefined;
}

/** The last character holds the lowest bits. */
function fromBase32(digest: string): string | undefined {
  let value = 0n;
  for (const character of digest) {
    const digit = BASE32.indexOf(character);
    if (digit < 0) return undefined;
    value = value * 32n + BigInt(digit);
  }
  const hex = value.toString(16).padStart(SHA256_BYTES * 2, '0');
  return hex.length === SHA256_BYTES * 2 ? Buffer.from(hex, 'hex').reverse().toString('hex') : undefined;
}
