import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { isInitError, temporaryDirectory } from '../fixtures.ts';

const MIB = 1024 * 1024;
const load = (file: string) => loadConfig({ flags: new Map(), env: {}, file });
const refused = { exitCode: 78, stage: 'config' } as const;

type Odd = { make: (file: string) => void; errno: string; what: RegExp };

const odd: Record<string, Odd> = {
  'a FIFO that nobody writes to': {
    make: (file) => execFileSync('mkfifo', [file]),
    errno: 'EINVAL',
    what: /file is not a regular file$/,
  },
  '/dev/zero': {
    make: (file) => symlinkSync('/dev/zero', file),
    errno: 'EINVAL',
    what: /not a regular file$/,
  },
  'a terminal': { make: (file) => symlinkSync('/dev/ptmx', file), errno: 'EINVAL', what: /not a regular/ },
  'a directory': { make: (file) => mkdirSync(file), errno: 'EISDIR', what: /^cannot read \/.*file$/ },
  'a symlink to itself': { make: (file) => symlinkSync(file, file), errno: 'ELOOP', what: /^cannot read/ },
  '100 MB': {
    make: (file) => {
      writeFileSync(file, '{}');
      truncateSync(file, 100 * MIB);
    },
    errno: 'EFBIG',
    what: /file has more than 1048576 bytes$/,
  },
  'one byte too many': {
    make: (file) => writeFileSync(file, `{}${' '.repeat(MIB - 1)}`),
    errno: 'EFBIG',
    what: /1048576 bytes$/,
  },
  'Latin-1': {
    make: (file) => writeFileSync(file, '{"cacheDir":"/caché"}', 'latin1'),
    errno: 'EILSEQ',
    what: /file is not UTF-8$/,
  },
};

for (const [name, { make, errno, what }] of Object.entries(odd)) {
  test(`a configuration file that is ${name} is refused with ${errno}`, async () => {
    using directory = temporaryDirectory();
    const file = `${directory.path}/file`;
    make(file);
    await assert.rejects(load(file), isInitError({ ...refused, errno, what }));
  });
}

test('a configuration file that is a socket is refused', async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/file`;
  const server = createServer().listen(file);
  try {
    await new Promise((resolve) => server.once('listening', resolve));
    await assert.rejects(load(file), isInitError({ ...refused, errno: 'ENXIO' }));
  } finally {
    server.close();
  }
});

const fine: Record<string, string> = {
  'as large as may be': `{"strategy":"none"}${' '.repeat(MIB - 19)}`,
  'with a byte order mark': '\ufeff{"strategy":"none"}',
};

for (const [name, text] of Object.entries(fine)) {
  test(`a configuration file ${name} is read`, async () => {
    using directory = temporaryDirectory();
    const file = `${directory.path}/file`;
    writeFileSync(file, text);
    assert.equal((await load(file)).config.strategy, 'none');
  });
}

test('what is not JSON is told by its line', async () => {
  using directory = temporaryDirectory();
  const file = `${directory.path}/file`;
  writeFileSync(file, '{\n  "strategy": "none",\n  "cacheDir": nowhere\n}\n');
  const what = /file is not JSON: Unexpected token 'o' \(line 3\)$/;
  await assert.rejects(load(file), isInitError({ ...refused, errno: 'EINVAL', what }));
});
