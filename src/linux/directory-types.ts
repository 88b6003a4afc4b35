import { closeSync, openSync } from 'node:fs';
import { checked, lazily } from './libc.ts';

const getdents64 = lazily('getdents64', { return: 'int64', arguments: ['int32', 'buffer', 'uint64'] });

const BUFFER_BYTES = 4096;
// `struct linux_dirent64` (getdents(2)).
const RECORD_LENGTH = 16;
const TYPE = 18;
const NAME = 19;
const DT_UNKNOWN = 0;

/**
 * Whether a directory says of what type its entries are; overlayfs tells whiteouts by that. Node's own readdir asks the
 * entries where the directory does not say.
 * @param path of a directory with few entries.
 */
export function givesTypes(path: string): boolean {
  const fd = openSync(path, 'r');
  const buffer = Buffer.alloc(BUFFER_BYTES);
  try {
    const length = checked('getdents64', () => Number(getdents64()(fd, buffer, BigInt(buffer.length))), path);
    for (let at = 0; at < length; at += buffer.readUInt16LE(at + RECORD_LENGTH)) {
      const name = buffer.toString('latin1', at + NAME, buffer.indexOf(0, at + NAME));
      if (name !== '.' && name !== '..' && buffer[at + TYPE] === DT_UNKNOWN) return false;
    }
    return true;
  } finally {
    closeSync(fd);
  }
}
