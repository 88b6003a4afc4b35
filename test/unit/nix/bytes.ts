import { number, text } from '../../../src/nix/wire.ts';

/** What a peer says, of numbers and texts. */
export const said = (...parts: (number | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? number(part) : text(part))));

/** The numbers of src/libstore/worker-protocol.hh, as they are there. */
export const magic1 = 0x6e697863;
export const magic2 = 0x6478696f;
export const messages = {
  next: 0x6f6c6d67,
  read: 0x64617461,
  last: 0x616c7473,
  error: 0x63787470,
  startActivity: 0x53545254,
  stopActivity: 0x53544f50,
  result: 0x52534c54,
} as const;

export const version = (minor: number, major = 1): number => (major << 8) | minor;
