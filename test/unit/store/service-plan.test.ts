import assert from 'node:assert/strict';
import { test } from 'node:test';
import { select } from '../../../src/store/select.ts';
import { makeConfig, makeFacts } from '../fixtures.ts';
import { stepsOf } from './steps.ts';

const services = {
  quiet: { command: 'quiet' },
  web: { command: 'web', listen: '/run/web/socket' },
  api: { command: '/bin/api', listen: '/run/api' },
};

const web = { do: 'listen', socket: '/run/web/socket', service: 'web', command: 'web' };
const api = { do: 'listen', socket: '/run/api', service: 'api', command: '/bin/api' };

for (const strategy of ['overlay', 'none'] as const) {
  test(`with strategy ${strategy}, the sockets of services are bound last, in order`, async () => {
    const config = makeConfig({ strategy, services, 'daemon.enabled': false });
    const { plan } = await select(makeFacts(), config);
    assert.deepEqual(stepsOf(plan?.steps ?? [], 'listen'), [web, api]);
    assert.deepEqual(plan?.steps.slice(-2), [web, api]);
  });
}

test('the daemon’s socket comes before them', async () => {
  const { plan } = await select(makeFacts(), makeConfig({ services }));
  assert.deepEqual(
    stepsOf(plan?.steps ?? [], 'listen').map(({ service }) => service),
    ['nix-daemon', 'web', 'api'],
  );
});
