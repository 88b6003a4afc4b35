import { lazily } from './libc.ts';

const _exit = lazily('_exit', { return: 'void', arguments: ['int32'] });

/**
 * Ends the process at once (_exit(2)), without taking V8 down in good order: everything has been written and undone by
 * now, and the engine waits for PID 1.
 */
export function exitNow(code: number): void {
  _exit()(code);
}
