import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startContainer } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { openTerminal } from '../harness/terminal.ts';
import { makeVolume } from '../harness/volume.ts';

containerTest('the size of the window arrives, and so does every change of it', async () => {
  await using volume = await makeVolume();
  const command = ['bash', '--norc', '--noprofile', '-i'];
  await using terminal = await openTerminal({ command, volume: volume.name });
  terminal.send('trap "echo size=\\$(stty size)" WINCH; echo re""ady\r');
  await terminal.waitFor(/ready/);
  let arrived = false;
  const seen = terminal.waitFor(/size=41 123/).finally(() => {
    arrived = true;
  });
  // Again and again: the client shows the prompt before it listens for changes of its own terminal.
  while (!arrived) {
    await terminal.resize(41, 122);
    await terminal.resize(41, 123);
    await Promise.race([seen, sleep(500)]);
  }
  await seen;
});

containerTest('-i without a terminal and -t without stdin both start', async () => {
  for (const flag of ['-i', '-t']) {
    await using volume = await makeVolume();
    await using container = await startContainer({
      volume: volume.name,
      command: ['sh', '-c', 'echo started; exit 6'],
      flags: [flag],
    });
    assert.equal(await container.waitForEnd(), 6);
    assert.match((await container.logs()).stdout, /started/);
  }
});
