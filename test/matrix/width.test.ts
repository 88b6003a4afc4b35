import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { countCases } from '../harness/matrix.ts';

test('the matrix is as wide as it is said to be', async (context) => {
  const others = readdirSync(import.meta.dirname).filter((name) => !/^(width|peers)\./.test(name));
  const counted = await countCases(async () => {
    for (const name of others) await import(`./${name}`);
  });
  for (const [setting, { run, except }] of Object.entries(counted)) {
    context.diagnostic(`${setting}: ${run} cases`);
    for (const [why, number] of except) context.diagnostic(`${setting}: not ${number}: ${why}`);
  }
  assert.ok(counted.pid1.run >= 250 && counted.subreaper.run >= 250, 'in namespaces');
  assert.ok(counted.docker.run >= 80, 'in Docker');
});
