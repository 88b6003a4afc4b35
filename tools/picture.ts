// `npm run picture`: draws the quickest of some boots on a used volume, with a real Nix, into docs/images/boot.svg.
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootInNamespace } from '../test/harness/namespaceBoot.ts';
import { makeNixMachine } from '../test/harness/nixMachine.ts';
import { repository } from '../test/harness/paths.ts';

const BOOTS = 20;
const program = '/opt/nix-cache-init/bin/nix-cache-init';

await using nix = await makeNixMachine({ volume: 'ext4', size: '300M' });
await nix.build('c');
let least = Number.POSITIVE_INFINITY;
for (let boot = 0; boot < BOOTS; boot += 1) {
  const script = `sleep 0.3; ${program} analyze --json --svg /tmp/boot.svg`;
  const { exitCode, stdout, stderr } = await bootInNamespace(nix.machine, { args: ['sh', '-euc', script] });
  if (exitCode !== 0) throw new Error(stderr);
  const { ms, phases } = JSON.parse(stdout) as { ms: number; phases: { name: string }[] };
  if (ms >= least || phases.at(-1)?.name !== 'command') continue;
  least = ms;
  copyFileSync(nix.machine.path('/tmp/boot.svg'), join(repository, 'docs/images/boot.svg'));
}
console.log(`docs/images/boot.svg: ${least} ms, ${readFileSync('/proc/loadavg', 'utf8').trim()}`);
