import {
  type ArgumentType,
  DynamicLibrary,
  type FunctionSignature,
  getInt32,
  getUint64,
  toBuffer,
  type WrappedFunctionFromSignature,
} from 'node:ffi';
import { errnoName } from '../errors.ts';

/** Where a path begins that is not absolute: the working directory (openat(2)). */
export const AT_FDCWD = -100;

/** The C library this process runs on; `null` names the process image itself (dlopen(3)). */
const library = new DynamicLibrary(null);

/**
 * More arguments than Node's fast calls take. For those it looks for a free page near its own code, in some thirty
 * mmap(2) calls that fail, and again for each binding: a boot would spend more on binding than on calling.
 */
const TOO_MANY_ARGUMENTS = 9;

/**
 * What calls each of them and returns its errno where it fails (src/native/call.c). Node without that library, as in the tests,
 * has to read errno afterwards.
 */
const caller = symbolAddress('nix_cache_init_call') === undefined ? undefined : 'nix_cache_init_call';

/**
 * Binds a C function at its first use; a boot needs a third of them. What it is called with beyond its own arguments is
 * lost on it: in the C calling conventions of x86-64 and arm64 the caller alone cleans up.
 */
export function lazily<const S extends FunctionSignature & { arguments: readonly ArgumentType[] }>(
  name: string,
  signature: S,
): () => WrappedFunctionFromSignature<S> {
  let bound: WrappedFunctionFromSignature<S> | undefined;
  return () => {
    bound ??= bind(name, signature);
    return bound;
  };
}

function bind<const S extends FunctionSignature & { arguments: readonly ArgumentType[] }>(
  name: string,
  { arguments: own, return: result }: S,
): WrappedFunctionFromSignature<S> {
  const called = caller === undefined ? [] : [library.getSymbol(name)];
  const spare = Array.from({ length: TOO_MANY_ARGUMENTS - called.length - own.length }, () => 0);
  const types = [...called.map(() => 'pointer' as const), ...own, ...spare.map(() => 'int32' as const)];
  // Of one such object Node takes one signature for a name.
  const padded = new DynamicLibrary(null).getFunction(caller ?? name, { return: result, arguments: types });
  // The types cannot express an argument list of unknown length with a tail.
  const call = (...values: Parameters<typeof padded>): unknown => padded(...called, ...values, ...spare);
  return call as unknown as WrappedFunctionFromSignature<S>;
}

/** A failed system call. Has the same fields as Node's own `ErrnoException`, so both are handled alike. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** The errno's name, such as `EPERM`. */
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;

  constructor(errno: number, syscall: string, path?: string) {
    const code = errnoName(errno);
    super(`${code}: ${syscall}${path === undefined ? '' : ` '${path}'`}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = path;
  }
}

// Thread-local (errno(3)); all calls are made on the main thread.
const errnoAddress =
  caller === undefined ? lazily('__errno_location', { return: 'pointer', arguments: [] })()() : undefined;

/**
 * Runs one C call that reports failure as -1, retrying EINTR.
 * @throws {SystemError} with the errno that the call left.
 */
export function checked(syscall: string, call: () => number, path?: string): number {
  const result = attempt(call);
  if (result < 0) throw new SystemError(-result, syscall, path);
  return result;
}

/**
 * The same where failing is an answer, and often the one: to make an error takes longer than most calls.
 * @returns its errno as a negative number.
 */
export function attempt(call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    const errno = errnoAddress === undefined ? -result : getInt32(errnoAddress, 0);
    if (errno !== EINTR) return -errno;
  }
}

const EINTR = 4;

/** A string as C has it; bytes for what need not be UTF-8. */
export function cString(text: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(text), Buffer.alloc(1)]);
}

/** Where a variable or function of the process image is; undefined when it has none of this name (dlsym(3)). */
export function symbolAddress(name: string): bigint | undefined {
  try {
    return library.getSymbol(name);
  } catch {
    // Node has no other error for it than that there is no such symbol.
    return undefined;
  }
}

const strlen = lazily('strlen', { return: 'uint64', arguments: ['pointer'] });

/** The entries of init's environment, `NAME=value` each, as bytes: values need not be UTF-8. */
export function rawEnvironment(): Buffer[] {
  const entries: Buffer[] = [];
  const environ = environAddress();
  for (let index = 0; ; index += 1) {
    const entry = getUint64(environ, index * 8);
    if (entry === 0n) return entries;
    entries.push(toBuffer(entry, Number(strlen()(entry))));
  }
}

/** The value of libc's `environ` (environ(7)): the environment exactly as init was given it. */
export function environAddress(): bigint {
  return getUint64(library.getSymbol('environ'), 0);
}
