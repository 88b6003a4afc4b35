import assert from 'node:assert/strict';
import { boot } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';
import { inLanes } from '../harness/lanes.ts';
import { scratchImage } from '../harness/smallImages.ts';

const quick = { grant: 'nothing', env: { NIX_CACHE_INIT_STRATEGY: 'none' } } as const;

containerTest('the exit code of the main command is the exit code of the container', async () => {
  const image = await scratchImage();
  const codes = [0, 1, 2, 42, 64, 70, 74, 75, 77, 78, 100, 125, 126, 127, 128, 129, 137, 143, 254, 255];
  await inLanes(3, codes, async (code) => {
    const result = await boot({ ...quick, image, command: ['/bin/busybox', 'sh', '-c', `exit ${code}`] });
    assert.equal(result.exitCode, code, result.stderr);
  });
});

containerTest('a main command ended by signal n gives 128+n', async () => {
  await inLanes(3, [1, 2, 3, 6, 9, 10, 11, 12, 13, 14, 15], async (signal) => {
    const command = ['perl', '-e', `kill(${signal}, $$); sleep 60`];
    const result = await boot({ ...quick, command });
    assert.equal(result.exitCode, 128 + signal, result.stderr);
  });
});

containerTest('a command that is not found gives 127, one that may not be run 126', async () => {
  for (const command of ['/no/such/command', 'no-such-command']) {
    const missing = await boot({ ...quick, command: [command] });
    assert.equal(missing.exitCode, 127, missing.stderr);
    assert.match(missing.stderr, /^nix-cache-init: .*no.such.command.*ENOENT \(.+\)$/m);
  }
  for (const command of ['/etc/passwd', '/etc']) {
    const refused = await boot({ ...quick, command: [command] });
    assert.equal(refused.exitCode, 126, refused.stderr);
    assert.match(refused.stderr, /^nix-cache-init: .*\/etc.*EACCES \(.+\)$/m);
  }
});

containerTest('arguments, environment and working directory arrive unchanged', async () => {
  const print = 'printf "<%s>" "$@"; echo; pwd; echo "$GREETING"';
  const words = ['', 'two words', '--', '-x', "it's"];
  const command = ['sh', '-c', print, 'sh', ...words];
  const env = { ...quick.env, GREETING: ' a  b ' };
  const result = await boot({ ...quick, env, command, flags: ['-w', '/usr/share'] });
  assert.equal(result.exitCode, 0, result.stderr);
  const expected = `${words.map((word) => `<${word}>`).join('')}\n/usr/share\n a  b `;
  assert.equal(result.stdout, expected);
});
