import { openSync } from 'node:fs';
import { closeOnExecPipe } from '../../linux/descriptors.ts';
import type { Readiness } from './readiness.ts';

/**
 * Ready when a line break is written to a descriptor, as s6 has it
 * (https://skarnet.org/software/s6/notifywhenup.html).
 */
export function pipeReadiness(number: number, timeoutMs: number): Readiness {
  const ready = Promise.withResolvers<void>();
  let closed = false;
  const open = (): number => {
    // What nobody waits for goes nowhere.
    if (closed) return openSync('/dev/null', 'w');
    const { Socket } = process.getBuiltinModule('node:net');
    const pipe = closeOnExecPipe();
    // Until its last writer is gone: closed before that, it would end a service that writes late (SIGPIPE).
    new Socket({ fd: pipe.read, readable: true, writable: false }).on('data', (data) => {
      if (data.includes('\n')) ready.resolve();
    });
    return pipe.write;
  };
  return {
    timeoutMs,
    descriptor: { number, open },
    wait: () => ready.promise,
    close() {
      closed = true;
    },
  };
}
