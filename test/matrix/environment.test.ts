import assert from 'node:assert/strict';
import { matrix } from '../harness/matrix.ts';
import type { SettingBoot } from '../harness/setting.ts';

const show = ['perl', '-e', 'open(F, "/proc/self/environ"); local $/; print unpack("H*", <F>)'];

/** By what printf(1) makes of them. */
const variables: Record<string, string[]> = {
  'in their order': ['Z=1', 'A=2', 'M=3'],
  'empty ones': ['EMPTY='],
  'line breaks and equal signs': ['LINES=a\\nb', 'EQUAL=a=b='],
  'bytes that are no UTF-8': ['BYTES=\\377\\376'],
  'a long one': [`LONG=${'x'.repeat(50_000)}`],
  'what Node would take for itself': [
    'NODE_OPTIONS=--no-such-option',
    'NODE_DEBUG=net',
    'NODE_EXTRA_CA_CERTS=/x',
  ],
  'what the loader would take for itself': ['LD_LIBRARY_PATH=/no/such', 'GLIBC_TUNABLES='],
  'our own settings': ['NIX_CACHE_INIT_LOG_LEVEL=error', 'NIX_CACHE_INIT_STRATEGY=none'],
  'sockets that are meant for somebody else': ['LISTEN_PID=99999', 'LISTEN_FDS=2'],
};

const surrounded = (list: string[]): SettingBoot => ({
  via: `exec env -i PATH=/usr/bin:/bin ${list.map((text) => `"$(printf '${text}')"`).join(' ')} "$@"`,
});

matrix('the environment arrives byte for byte', (matrixCase) => {
  for (const [name, list] of Object.entries(variables)) {
    matrixCase(name, async (setting) => {
      const { stdout } = await setting.run(show, surrounded(list));
      const direct = await setting.run(show, { ...surrounded(list), instead: [] });
      const [first = ''] = list;
      assert.ok(direct.stdout.includes(Buffer.from(first.split('=')[0] ?? '').toString('hex')));
      assert.equal(stdout, direct.stdout);
    });
  }

  matrixCase('an empty one', async (setting) => {
    const { stdout } = await setting.run(['/usr/bin/env'], { via: 'exec env -i "$@"' });
    assert.equal(stdout, '');
  });

  matrixCase('one without PATH, where a name is still found', async (setting) => {
    const { exitCode, stdout } = await setting.run(['echo', 'found'], { via: 'exec env -i "$@"' });
    assert.deepEqual([exitCode, stdout], [0, 'found\n']);
  });

  matrixCase('with LISTEN_PID, where it named init, naming the command', async (setting) => {
    const via = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"';
    const check = '[ "$LISTEN_PID" = $$ ] && echo "$LISTEN_FDS $LISTEN_FDNAMES"';
    assert.equal((await setting.run(['sh', '-c', check], { via })).stdout, '1 web\n');
  });
});
