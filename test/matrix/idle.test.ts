import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { matrix } from '../harness/matrix.ts';
import { idleCalls, SETTLE_MS, systemCalls } from '../harness/systemCalls.ts';

const shell = (script: string): string[] => ['sh', '-c', script];

matrix('idle', (matrixCase) => {
  matrixCase('once booted, init makes no system call at all', async (setting) => {
    await using running = await setting.start(shell('echo ready; exec sleep 60'));
    await running.waitFor(/ready/);
    assert.deepEqual(await idleCalls(await running.pid()), []);
  });

  // The control.
  matrixCase('someone who polls is seen to do so', async (setting) => {
    const instead = ['perl', '-e', '$| = 1; print "ready\\n"; select(undef, undef, undef, 0.1) while 1'];
    await using running = await setting.start([], { instead });
    await running.waitFor(/ready/);
    assert.notDeepEqual(await systemCalls(await running.pid()), []);
  });

  matrixCase('an orphan that ends wakes it', async (setting) => {
    await using running = await setting.start(shell('(setsid sleep 4 &); echo ready; exec sleep 60'));
    await running.waitFor(/ready/);
    await sleep(SETTLE_MS);
    assert.match((await systemCalls(await running.pid())).join('\n'), /wait4/);
  });
});
