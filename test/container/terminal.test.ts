import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Boot, startContainer } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { docker } from '../harness/docker.ts';
import { key } from '../harness/script.ts';
import { openTerminal, type Terminal } from '../harness/terminal.ts';
import { makeVolume } from '../harness/volume.ts';

// An input line echoes itself, so what is waited for must not stand in it: hence the quotes inside words.
const bash: Boot = { command: ['bash', '--norc', '--noprofile', '-i'], env: { PS1: 'prompt> ' } };

containerTest('an interactive bash has job control and says nothing about a missing one', async () => {
  await using volume = await makeVolume();
  await using terminal = await openBash({ volume: volume.name });
  terminal.send('echo "flags"=$-\r');
  assert.match(await terminal.waitFor(/flags=\w+/), /m/);
  terminal.send('exit 7\r');
  assert.equal(await terminal.ended, 7);
});

containerTest('one Ctrl-C is exactly one SIGINT', async () => {
  await using volume = await makeVolume();
  await using terminal = await openBash({ volume: volume.name });
  const count = 'n=0; trap "n=\\$((n+1)); echo got=\\$n" INT; echo re""ady; while :; do sleep 0.1; done';
  terminal.send(`bash -c '${count}'\r`);
  await terminal.waitFor(/ready/);
  terminal.send(key.controlC);
  await terminal.waitFor(/got=1/);
  await sleep(1000);
  assert.doesNotMatch(terminal.rest(), /got=/);
  terminal.send(key.controlC);
  await terminal.waitFor(/got=2/);
});

containerTest('Ctrl-C to a main command that is not a shell reaches it once', async () => {
  const command = ['bash', '-c', 'trap "echo got; exit 5" INT; echo ready; while :; do sleep 0.1; done'];
  await using terminal = await openTerminal({ command });
  await terminal.waitFor(/ready/);
  terminal.send(key.controlC);
  assert.equal(await terminal.ended, 5);
  assert.equal(terminal.rest().match(/got/g)?.length, 1);
});

containerTest('Ctrl-Z stops the job alone, and fg brings it back', async () => {
  await using volume = await makeVolume();
  await using terminal = await openBash({ volume: volume.name });
  terminal.send('bash -c "echo be""gun; sleep 3; echo do""ne"\r');
  await terminal.waitFor(/begun/);
  terminal.send(key.controlZ);
  await terminal.waitFor(/Stopped[\s\S]*prompt> /);
  terminal.send('jobs | wc -l; fg\r');
  await terminal.waitFor(/\b1\b/);
  await terminal.waitFor(/done/);
});

containerTest('the size of the window arrives, and so does every change of it', async () => {
  await using volume = await makeVolume();
  await using terminal = await openBash({ volume: volume.name });
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

containerTest('with TOSTOP set, init can still write and is not stopped by it', async () => {
  await using volume = await makeVolume();
  await using terminal = await openBash({ volume: volume.name });
  terminal.send('stty tostop; echo se""t\r');
  await terminal.waitFor(/set/);
  await docker('kill', '-s', 'USR2', terminal.container);
  terminal.send('exit 0\r');
  await terminal.ended;
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

async function openBash(options: Partial<Boot>): Promise<Terminal> {
  const terminal = await openTerminal({ ...bash, ...options });
  const greeting = await terminal.waitFor(/[\s\S]*prompt> /);
  assert.doesNotMatch(greeting, /cannot set terminal process group|no job control/);
  return terminal;
}
