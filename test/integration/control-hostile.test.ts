import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { MOST_REQUEST_BYTES, VERSION } from '../../src/control/protocol.ts';
import { MOST_CLIENTS } from '../../src/control/server.ts';
import { initStatusSchema } from '../../src/control/status-schema.ts';
import { connectControl, controlOf, converse, request } from '../harness/controlClient.ts';
import { makeMachine } from '../harness/namespaceMachine.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';
import { idle, type RunningBoot, startRunningBoot } from '../harness/runningBoot.ts';

const errnoOf = (said: string): string => JSON.parse(said).error.errno;

/** What is no request, at any length, cut at any place; and what nearly is one. */
const garbage = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(`${text}\n`)),
  fc
    .record({
      v: fc.oneof(fc.constant(VERSION), fc.anything()),
      do: fc.oneof(fc.constantFrom('status', 'wait', 'restart', 'logs', 'check'), fc.anything()),
      service: fc.anything(),
      last: fc.anything(),
      follow: fc.anything(),
    })
    .map((value) => Buffer.from(`${safeJson(value)}\n`)),
  fc.nat(200).map((length) => Buffer.from(`{"v":${VERSION},"do":"restart","service":"${'x'.repeat(length)}`)),
);

const openDescriptors = ({ booted }: RunningBoot): number => readdirSync(`/proc/${booted.init}/fd`).length;

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner)) ?? 'null';
  } catch {
    return 'null';
  }
}

namespaceTest('whatever is sent, it is answered or hung up on, and init goes on', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startRunningBoot(machine, { args: ['--strategy=none', ...idle] });
  const control = controlOf(machine);
  await request(control, { v: VERSION, do: 'status' });
  const before = openDescriptors(boot);
  await fc.assert(
    fc.asyncProperty(garbage, async (bytes) => {
      // A logs that follows would be for ever, and rightly so.
      if (bytes.includes('"follow":true')) return;
      const said = await converse(control, bytes, true);
      for (const line of said.split('\n').filter(Boolean)) assert.equal(JSON.parse(line).v, VERSION);
    }),
    { numRuns: 300 },
  );
  const [reply] = (await request(control, { v: VERSION, do: 'status' })) as [{ done: unknown }];
  initStatusSchema.parse(reply.done);
  // Those of the last clients go when init comes to it.
  for (let tries = 0; openDescriptors(boot) > before && tries < 100; tries += 1) await sleep(20);
  assert.ok(openDescriptors(boot) <= before, 'no descriptor leaks');
  assert.equal(boot.booted.errors(), '', 'and nobody is told on stderr');
});

namespaceTest('of what is too long, of another version or unknown, it says so', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startRunningBoot(machine, { args: ['--strategy=none', ...idle] });
  const control = controlOf(machine);
  assert.equal(errnoOf(await converse(control, 'x'.repeat(MOST_REQUEST_BYTES + 1))), 'EMSGSIZE');
  assert.equal(errnoOf(await converse(control, '{"v":2,"do":"status"}\n')), 'EPROTONOSUPPORT');
  assert.equal(errnoOf(await converse(control, '{"do":"status"}\n')), 'EPROTONOSUPPORT');
  assert.equal(errnoOf(await converse(control, 'null\n')), 'EPROTONOSUPPORT');
  assert.equal(errnoOf(await converse(control, `{"v":${VERSION},"do":"reboot"}\n`)), 'EBADMSG');
  assert.equal(errnoOf(await converse(control, 'status\n')), 'EBADMSG');
  assert.equal(await boot.shell('echo alive'), 'alive');
});

namespaceTest('who says nothing, or does not read, keeps nobody from being answered or reaped', async () => {
  await using machine = await makeMachine({ volume: 'none' });
  await using boot = await startRunningBoot(machine, { args: ['--strategy=none', ...idle] });
  const control = controlOf(machine);
  const silent: Socket[] = [];
  // One place is left.
  for (let count = 0; count < MOST_CLIENTS - 1; count += 1) silent.push(await connectControl(control));
  for (const [index, socket] of silent.entries()) if (index % 2 === 0) socket.write('{"v":1,');
  const [reply] = (await request(control, { v: VERSION, do: 'status' })) as [{ done: { reaped: number } }];
  // Orphans among them: nobody but init could have taken note of their end.
  await boot.shell('for i in 1 2 3 4 5 6 7 8 9 10; do (setsid sh -c "exit 3" &) ; done');
  for (;;) {
    const [later] = (await request(control, { v: VERSION, do: 'status' })) as [{ done: { reaped: number } }];
    if (later.done.reaped >= reply.done.reaped + 10) break;
    await sleep(10);
  }
  assert.equal(await boot.shell("grep -sl 'State:.Z' /proc/[0-9]*/status || true"), '');
  // More than are served are hung up on, and are served again when there is room.
  const extra = await connectControl(control);
  const over = connect(control).on('error', () => {});
  await new Promise((resolve) => over.on('close', resolve));
  for (const socket of [...silent, extra]) socket.destroy();
  await request(control, { v: VERSION, do: 'status' });
});
