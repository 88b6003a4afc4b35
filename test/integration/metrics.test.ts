import assert from 'node:assert/strict';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { idle, startRunningBoot } from '../harness/runningBoot.ts';

const socket = '/run/metrics.sock';

const ask = (socketPath: string, method: string, path: string) =>
  new Promise<{ status: number | undefined; type: string | undefined; body: string }>((resolve, reject) => {
    const asking = request({ socketPath, method, path }, async (answer) =>
      resolve({ status: answer.statusCode, type: answer.headers['content-type'], body: await text(answer) }),
    );
    asking.on('error', reject).end();
  });

namespaceTest('metrics are served on a Unix socket, for its owner alone, and nothing else is', async () => {
  await using machine = await makeMachine({ volume: 'tmpfs' });
  const args = ['--strategy=none', `--metrics-listen=unix://${socket}`, ...idle];
  await using boot = await startRunningBoot(machine, { args });
  await boot.shell(`until [ -S ${socket} ]; do sleep 0.05; done`);
  assert.equal(await boot.shell(`stat -c %a ${socket}`), '600');
  const path = machine.path(socket);
  const [first, second] = await Promise.all([ask(path, 'GET', '/metrics'), ask(path, 'GET', '/metrics')]);
  assert.match(first.type ?? '', /^application\/openmetrics-text; version=1\.0\.0/);
  assert.match(second.body, /^nix_cache_init_processes_reaped_total \d+$/m);
  assert.match(second.body, /\n# EOF\n$/);
  assert.equal((await ask(path, 'GET', '/etc/passwd')).status, 404);
  assert.equal((await ask(path, 'POST', '/metrics')).status, 405);
  boot.booted.signal('SIGTERM');
  assert.equal((await boot.booted.ended).exitCode, 143);
});

namespaceTest('where that cannot be listened on, one line says so, and the command runs', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  const args = ['--strategy=none', '--metrics-listen=tcp://192.0.2.1:9101', ...idle];
  await using boot = await startRunningBoot(machine, { args });
  await boot.booted.waitForError(/EADDRNOTAVAIL.*metrics cannot be served at tcp:\/\/192\.0\.2\.1:9101/);
  assert.equal(await boot.shell('echo alive'), 'alive');
});
