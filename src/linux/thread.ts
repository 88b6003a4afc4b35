import { getRawPointer } from 'node:ffi';
import { addressOf, cString, lazily, SystemError } from './libc.ts';
import { withSignalsBlocked } from './signals.ts';

const getcontext = lazily('getcontext', { return: 'int32', arguments: ['buffer'] });
const six = ['pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'] as const;
const makecontext = lazily('makecontext', {
  return: 'void',
  arguments: ['buffer', 'pointer', 'int32', ...six],
});
const pthreadCreate = lazily('pthread_create', {
  return: 'int32',
  arguments: ['buffer', 'pointer', 'pointer', 'pointer'],
});
const pthreadJoin = lazily('pthread_join', { return: 'int32', arguments: ['uint64', 'pointer'] });
const semInit = lazily('sem_init', { return: 'int32', arguments: ['buffer', 'int32', 'uint32'] });
const semPost = lazily('sem_post', { return: 'int32', arguments: ['buffer'] });
const semWait = lazily('sem_wait', { return: 'int32', arguments: ['buffer'] });

type Argument = number | bigint | Buffer;

/** A C function and its arguments. What it returns is lost. */
export type Call = readonly [name: string, ...args: Argument[]];

export type ThreadWork = {
  /** What changes the thread. */
  first: readonly Call[];
  /** Called with the thread's directory in /proc when that is done; if it throws, the rest is not. */
  inspect: (directory: string) => void;
  rest: readonly [Call, ...Call[]];
};

const SYS_exit = process.arch === 'arm64' ? 93 : 60;
/** glibc's `ucontext_t` takes 968 bytes on x86-64 and 4560 on arm64. */
const CONTEXT_BYTES = 8192;
const STACK_BYTES = 32_768;
// The beginning of ucontext_t is the same on both: flags, link, stack (address, flags, size).
const LINK = 8;
const STACK_ADDRESS = 16;
const STACK_SIZE = 32;
const NAME_BYTES = 128;

/**
 * Makes C calls, one after another, on a thread of their own, and returns when it is gone. Credentials belong to a
 * thread: what cannot be taken back, such as a smaller bounding set, goes with it (capabilities(7)).
 * JavaScript cannot run there, and pthread_create(3) passes one argument: so each call is a context (makecontext(3))
 * that leads to the next, and the thread begins with setcontext(3) to the first.
 * @throws what `inspect` throws; {SystemError} EAGAIN when there can be no thread.
 */
export function onOwnThread({ first, inspect, rest }: ThreadWork): void {
  const [ready, go] = [semaphore(), semaphore()];
  const directory = Buffer.alloc(NAME_BYTES);
  const thread = Buffer.alloc(NAME_BYTES);
  const exit: Call = ['syscall', SYS_exit, 0];
  const before: Call[] = [
    ...first,
    ['readlink', cString('/proc/thread-self'), directory, directory.length],
    ['sem_post', ready],
    ['sem_wait', go],
  ];
  // The thread has the signal mask that its contexts were made with. A handler of Node's would find a small stack.
  withSignalsBlocked(() => {
    const chain = link([...before, ...rest, exit]);
    const [start, second] = [chain[0], chain[before.length]];
    if (start === undefined || second === undefined) throw new RangeError('nothing to do');
    const failed = pthreadCreate()(thread, 0n, addressOf('setcontext'), start.context);
    if (failed !== 0) throw new SystemError(failed, 'pthread_create');
    semWait()(ready);
    try {
      inspect(`/proc/${directory.toString('latin1', 0, directory.indexOf(0))}`);
    } catch (error) {
      fill(second, exit);
      throw error;
    } finally {
      semPost()(go);
      pthreadJoin()(thread.readBigUInt64LE(0), 0n);
      // Up to here the thread used what only these hold.
      chain.length = 0;
    }
  });
}

type Context = { context: Buffer; stack: Buffer; next: Buffer | undefined; call: Call };

function link(calls: readonly Call[]): Context[] {
  const contexts: Context[] = [];
  let next: Buffer | undefined;
  for (const call of calls.toReversed()) {
    const made = {
      context: Buffer.alloc(CONTEXT_BYTES),
      stack: Buffer.allocUnsafeSlow(STACK_BYTES),
      next,
      call,
    };
    fill(made, call);
    contexts.unshift(made);
    next = made.context;
  }
  return contexts;
}

function fill({ context, stack, next }: Context, [name, ...args]: Call): void {
  getcontext()(context);
  context.writeBigUInt64LE(next === undefined ? 0n : getRawPointer(next), LINK);
  context.writeBigUInt64LE(getRawPointer(stack), STACK_ADDRESS);
  context.writeBigUInt64LE(BigInt(stack.length), STACK_SIZE);
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = args.map(word);
  makecontext()(context, addressOf(name), args.length, a, b, c, d, e, f);
}

const word = (argument: Argument): bigint =>
  typeof argument === 'object' ? getRawPointer(argument) : BigInt(argument);

function semaphore(): Buffer {
  const made = Buffer.alloc(NAME_BYTES);
  semInit()(made, 0, 0);
  return made;
}
