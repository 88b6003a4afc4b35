import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';

containerTest('what `docker exec` leaves behind is reaped too', async () => {
  await using container = await startIdle();
  await container.exec(['sh', '-c', '(setsid sleep 0.2 &) ; exit 0']);
  // By then it has ended, and PID 1, whose child it became, has had its time.
  await sleep(1500);
  const { stdout } = await container.exec(['sh', '-c', 'grep -h ^State: /proc/[0-9]*/status']);
  assert.doesNotMatch(stdout, /Z/);
});
