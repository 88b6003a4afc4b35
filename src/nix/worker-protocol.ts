import { stripVTControlCharacters } from 'node:util';
import { number, ProtocolError, type Reader, texts } from './wire.ts';

/** Of the protocol, not of Nix. */
export type ProtocolVersion = { major: number; minor: number };

/** What a nix-daemon says of itself when somebody connects. */
export type Hello = {
  protocol: ProtocolVersion;
  /** Its version of Nix, such as `2.34.1`; null before protocol 1.33. */
  nixVersion: string | null;
  /** Whether it does for us what it does for root; null when it does not say: before protocol 1.35. */
  trusted: boolean | null;
};

/** An error that the daemon reports in its own words. */
export class DaemonRefusal extends Error {
  override readonly name = 'DaemonRefusal';
}

/** A daemon with which one cannot speak. */
export class VersionMismatch extends Error {
  override readonly name = 'VersionMismatch';
}

// src/libstore/worker-protocol.hh
const WORKER_MAGIC_1 = 0x6e697863;
const WORKER_MAGIC_2 = 0x6478696f;
const QUERY_VALID_PATHS = 31;
const STDERR_NEXT = 0x6f6c6d67;
const STDERR_LAST = 0x616c7473;
const STDERR_ERROR = 0x63787470;
const STDERR_START_ACTIVITY = 0x53545254;
const STDERR_STOP_ACTIVITY = 0x53544f50;
const STDERR_RESULT = 0x52534c54;

/**
 * What we say that we speak: the last version in which everything a client has to say fits into one message. From 1.38 on
 * features are negotiated, and we have none. A daemon speaks with older clients, of 1.18 at least.
 */
const OURS = 37;
/** The oldest that clients of today speak with, too (WorkerProto::minimum): Nix 2.0. */
const OLDEST = 18;

const MAJOR = 1;

/** What a client says first: the greeting, its version, and two fields without a meaning left (CPU affinity, reserved space). */
export const greeting: Buffer = Buffer.concat([WORKER_MAGIC_1, (MAJOR << 8) | OURS, 0, 0].map(number));

/**
 * Reads the answer to the greeting.
 * @throws {Incomplete}; {ProtocolError} for what is no nix-daemon; {VersionMismatch}; {DaemonRefusal}.
 */
export function readHello(reader: Reader): Hello {
  if (reader.number() !== WORKER_MAGIC_2) throw new ProtocolError('it does not greet like one');
  const word = reader.number();
  const protocol = { major: word >> 8, minor: word & 0xff };
  if (protocol.major !== MAJOR || protocol.minor < OLDEST)
    throw new VersionMismatch(
      `speaks protocol ${protocol.major}.${protocol.minor}, not ${MAJOR}.${OLDEST} or a later ${MAJOR}.x`,
    );
  const minor = spoken(protocol);
  const nixVersion = minor >= 33 ? reader.text() : null;
  const trusted = minor >= 35 ? readTrust(reader) : null;
  readMessages(reader, minor);
  return { protocol, nixVersion, trusted };
}

/** Asks which of some store paths are valid; none are fetched. */
export function askValidPaths(paths: readonly string[], protocol: ProtocolVersion): Buffer {
  const substitute = spoken(protocol) >= 27 ? [number(0)] : [];
  return Buffer.concat([number(QUERY_VALID_PATHS), texts(paths), ...substitute]);
}

/** Reads the answer to that. @throws as `readHello`. */
export function readValidPaths(reader: Reader, protocol: ProtocolVersion): string[] {
  readMessages(reader, spoken(protocol));
  return reader.list((each) => each.text());
}

const spoken = ({ minor }: ProtocolVersion): number => Math.min(minor, OURS);

/** An optional flag (src/libstore/worker-protocol.cc). */
function readTrust(reader: Reader): boolean | null {
  const flag = reader.number();
  if (flag > 2) throw new ProtocolError(`a trust of ${flag}`);
  return flag === 0 ? null : flag === 1;
}

/** What the daemon has to tell people before it answers, up to the message that says that it is done. */
function readMessages(reader: Reader, minor: number): void {
  for (;;) {
    const kind = reader.number();
    switch (kind) {
      case STDERR_LAST:
        return;
      case STDERR_ERROR:
        throw new DaemonRefusal(readError(reader, minor));
      case STDERR_NEXT:
        reader.text();
        break;
      case STDERR_START_ACTIVITY:
        for (let field = 0; field < 3; field += 1) reader.number();
        reader.text();
        readFields(reader);
        reader.number();
        break;
      case STDERR_STOP_ACTIVITY:
        reader.number();
        break;
      case STDERR_RESULT:
        for (let field = 0; field < 2; field += 1) reader.number();
        readFields(reader);
        break;
      default:
        throw new ProtocolError(`a message of kind ${kind}`);
    }
  }
}

/** Since protocol 1.26 an error has a level and a trace (readError in src/libutil/serialise.cc), before that a status. */
function readError(reader: Reader, minor: number): string {
  const first = reader.text();
  reader.number();
  if (minor < 26) return stripVTControlCharacters(first);
  reader.text();
  const message = reader.text();
  reader.number();
  reader.list((each) => [each.number(), each.text()]);
  return stripVTControlCharacters(message);
}

const INTEGER = 0;
const TEXT = 1;

function readFields(reader: Reader): void {
  reader.list((each) => {
    const type = each.number();
    if (type === INTEGER) each.number();
    else if (type === TEXT) each.text();
    else throw new ProtocolError(`a field of type ${type}`);
  });
}
