import assert from 'node:assert/strict';
import { type Alca, documentedConfig, makeAlca } from '../harness/alca.ts';
import { containerTest } from '../harness/containerTest.ts';
import type { Outcome } from '../harness/run.ts';

const { caps, ...config } = documentedConfig();

function succeeded({ exitCode, stdout, stderr }: Outcome): string {
  assert.equal(exitCode, 0, stderr);
  return stdout.trim();
}

/** What the shell's tool says, which is another thing each time it is built. */
const tool = async (alca: Alca): Promise<string> => {
  const said = succeeded(await alca.run('sh', '-c', 'cat "$tool"'));
  assert.match(said, /^[0-9a-f-]{36}$/);
  return said;
};

for (const { name, granted, strategy } of [
  { name: 'the capabilities that alca grants by itself', granted: undefined, strategy: 'substituter' },
  { name: `caps = ${JSON.stringify(caps)}`, granted: caps, strategy: 'overlay' },
]) {
  containerTest(`alca with ${name}: ${strategy}, and nothing is built twice`, async () => {
    await using alca = await makeAlca({ ...config, ...(granted && { caps: granted }) });
    succeeded(await alca.up());
    const first = await tool(alca);
    const boot = succeeded(await alca.run('cat', '/run/nix-cache-init/boot.json'));
    assert.equal(JSON.parse(boot).strategy, strategy, (await alca.logs()).stderr);

    await alca.stop();
    await alca.start();
    assert.equal(await tool(alca), first, 'after a restart');

    await alca.down();
    succeeded(await alca.up());
    assert.equal(await tool(alca), first, 'in a new container');
  });
}

containerTest('an alca without the cache builds anew: what the others show is the cache', async () => {
  await using alca = await makeAlca({ ...config, mounts: [] });
  succeeded(await alca.up());
  const first = await tool(alca);
  await alca.down();
  succeeded(await alca.up());
  assert.notEqual(await tool(alca), first);
});
