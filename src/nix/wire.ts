/** There is more to come before it can be understood. */
export class Incomplete extends Error {
  override readonly name = 'Incomplete';
}

/** What was said is not what Nix says. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Longer than any version, path or message. */
const MOST_TEXT_BYTES = 64 * 1024;
const WORD_BYTES = 8;

/** Nix's numbers are 64 bits, little-endian (src/libutil/serialise.hh). */
export function number(value: number): Buffer {
  const word = Buffer.alloc(WORD_BYTES);
  word.writeBigUInt64LE(BigInt(value));
  return word;
}

/** A text is its length in bytes, itself, and zeros up to the next multiple of eight. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes, Buffer.alloc(paddingOf(bytes.length))]);
}

/** A list of texts, or a set: their number, and each. */
export const texts = (values: readonly string[]): Buffer =>
  Buffer.concat([number(values.length), ...values.map(text)]);

const paddingOf = (length: number): number => (WORD_BYTES - (length % WORD_BYTES)) % WORD_BYTES;

/** Reads what Nix wrote, from a peer that need not be Nix. */
export class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Where the next thing begins. */
  get at(): number {
    return this.#at;
  }

  /** @throws {Incomplete}; {ProtocolError} for one that no count or version can be. */
  number(): number {
    const value = this.#take(WORD_BYTES).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError(`a number too large: ${value}`);
    return Number(value);
  }

  /** @throws {Incomplete}; {ProtocolError} for one that is too long or badly padded. */
  text(): string {
    const length = this.number();
    if (length > MOST_TEXT_BYTES) throw new ProtocolError(`a text of ${length} bytes`);
    const value = this.#take(length).toString();
    if (this.#take(paddingOf(length)).some((byte) => byte !== 0))
      throw new ProtocolError('a text badly padded');
    return value;
  }

  /** @throws {Incomplete} also for a list of more things than can have come. */
  list<T>(read: (reader: Reader) => T): T[] {
    const values: T[] = [];
    for (let left = this.number(); left > 0; left -= 1) values.push(read(this));
    return values;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Incomplete();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
