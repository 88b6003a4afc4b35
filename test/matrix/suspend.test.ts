import { readFileSync } from 'node:fs';
import { matrix } from '../harness/matrix.ts';
import { firstChild } from '../harness/namespaceBoot.ts';
import { signal } from '../harness/signals.ts';
import { waitForText } from '../harness/waitForText.ts';

const { CONT, TSTP, TTIN, TTOU } = signal;

/** Waits until a process is in a state (proc_pid_stat(5)). */
async function waitForState(pid: number, state: RegExp): Promise<void> {
  const read = (): string => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
  await waitForText(read, state, () => true);
}

const child = (parent: number): number => firstChild(parent) ?? -1;

matrix('a signal that stops, without a terminal', (matrixCase) => {
  for (const [name, number] of Object.entries({ TSTP, TTIN, TTOU })) {
    matrixCase(
      `${name} suspends the command and init, and CONT resumes both`,
      async (setting) => {
        await using running = await setting.start(['sh', '-c', 'echo up; exec sleep 60']);
        await running.waitFor(/up/);
        const init = await running.pid();
        await running.signal(number);
        await waitForState(child(init), /T/);
        await waitForState(init, /T/);
        await running.signal(CONT);
        await waitForState(init, /[SR]/);
        await waitForState(child(init), /[SR]/);
      },
      {
        except: {
          pid1: 'a PID 1 has nobody who would resume it',
          docker: 'a PID 1 has nobody who would resume it',
        },
      },
    );
  }

  matrixCase('STOP and CONT to the command alone leave init as it is', async (setting) => {
    await using running = await setting.start(['sh', '-c', 'echo up; exec sleep 60']);
    await running.waitFor(/up/);
    const init = await running.pid();
    const main = child(init);
    process.kill(main, 'SIGSTOP');
    await waitForState(main, /T/);
    await running.signal(CONT);
    await waitForState(main, /[SR]/);
  });
});
