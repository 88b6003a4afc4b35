import assert from 'node:assert/strict';
import { matrix } from '../harness/matrix.ts';

/** In hexadecimal, one to a line, so that no byte gets lost on the way. */
const show = ['perl', '-e', 'print unpack("H*", $_), "\\n" for @ARGV', '--'];
const hex = (text: string): string => `${Buffer.from(text).toString('hex')}\n`;

const words: Record<string, string[]> = {
  'an empty one': [''],
  'empty ones at the end': ['x', '', ''],
  blanks: [' two  words ', '\t'],
  'line breaks': ['line\nbreak', '\n'],
  'dashes alone': ['-', '--', '---'],
  'two dashes first and again': ['--', '--', 'x'],
  'options that look like ours': ['--strategy', 'overlay', '--help', '--version', '--shutdown-grace=1s'],
  'options that look like Node’s': ['--inspect', '--eval', '-p', '--require=x', '--disable-sigusr1'],
  'what a shell would expand': ['*', '$HOME', '~', '`id`', "it's", '"', '\\'],
  'characters beyond ASCII': ['ünïcode', '🙂', '\u2028'],
  'a long one': ['x'.repeat(100_000)],
  'a thousand': Array.from({ length: 1000 }, (_, index) => `${index}`),
};

matrix('arguments arrive as they are', (matrixCase) => {
  for (const [name, list] of Object.entries(words)) {
    matrixCase(name, async (setting) => {
      const { stdout, stderr } = await setting.run([...show, ...list]);
      assert.equal(stdout, list.map(hex).join(''), stderr);
    });
  }

  matrixCase('bytes that are no UTF-8', async (setting) => {
    const via = 'exec "$@" "$(printf \'\\377\\376 x\\351\')" plain';
    const { stdout, stderr } = await setting.run([...show, ''], { via });
    assert.equal(stdout, `\nfffe2078e9\n${hex('plain')}`, stderr);
  });

  matrixCase('the command’s own name, as it was said', async (setting) => {
    const own = ['cat', '/proc/self/cmdline'];
    assert.equal((await setting.run(own)).stdout, 'cat\0/proc/self/cmdline\0');
    const full = ['/usr/bin/cat', '/proc/self/cmdline'];
    assert.equal((await setting.run(full)).stdout, '/usr/bin/cat\0/proc/self/cmdline\0');
  });

  matrixCase('a command whose name is no UTF-8', async (setting) => {
    const make =
      'p="/tmp/$(printf "prog\\\\351")"; printf "#!/bin/sh\\\\necho ran\\\\n" >"$p"; chmod +x "$p"';
    const { stdout, stderr } = await setting.run([], { via: `${make}; exec "$@" "$p"` });
    assert.equal(stdout, 'ran\n', stderr);
  });

  matrixCase('options of the command without a -- before it', async (setting) => {
    const instead = ['/init', '--strategy', 'none'];
    const { stdout } = await setting.run(['echo', '--help', '--', '--strategy'], { instead });
    assert.equal(stdout, '--help -- --strategy\n');
  });
});
