import assert from 'node:assert/strict';
import { commonOptions, described, keyOptions } from '../../src/commands/described.ts';
import { envName, keyNames } from '../../src/config/keys.ts';
import { ensureDist } from '../harness/dist.ts';
import { testOnGround } from '../harness/ground.ts';
import { alone } from '../harness/lock.ts';
import { installCommands, isOnPath } from '../harness/packages.ts';
import { rootfs } from '../harness/paths.ts';
import { run } from '../harness/run.ts';

const page = `${rootfs}/opt/nix-cache-init/share/man/man1/nix-cache-init.1`;
const tools = { groff: 'groff-base', mandoc: 'mandoc' };
const missing =
  process.getuid?.() === 0 || Object.keys(tools).every(isOnPath)
    ? undefined
    : 'takes groff and mandoc: run as root, or install them';

testOnGround(missing, 'the man page is clean and has every command, option and variable', async () => {
  await alone('dist', ensureDist);
  await installCommands(tools);
  const { exitCode, stdout, stderr } = await run('groff', [
    '-ww',
    '-man',
    '-Tutf8',
    '-rLL=200n',
    '-P-cbou',
    page,
  ]);
  assert.deepEqual([exitCode, stderr], [0, '']);
  const words = stdout.replace(/[\u2010\u2212]/g, '-').replace(/\s+/g, ' ');
  for (const { usage, summary, options } of described) {
    assert.ok(words.includes(`${usage} ${summary}`), usage);
    for (const { flag, help } of options) assert.ok(words.includes(help) && words.includes(flag), flag);
  }
  for (const { flag, help } of [...commonOptions, ...keyOptions])
    assert.ok(words.includes(`${flag} ${help}`) || words.includes(`${flag} VALUE ${help}`), flag);
  for (const name of keyNames) assert.ok(words.includes(`${envName(name)}, in the file ${name}.`), name);
});

testOnGround(missing, 'mandoc finds nothing wrong with the man page', async () => {
  await alone('dist', ensureDist);
  await installCommands(tools);
  const { stdout, stderr } = await run('mandoc', ['-T', 'lint', '-W', 'warning', page]);
  // Without a date: the page is the same whenever it is built.
  const said = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line !== '' && !line.includes('missing date'));
  assert.deepEqual(said, []);
});
