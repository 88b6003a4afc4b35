import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { announceVariables, setVariables } from '../../../../src/store/steps/environment.ts';
import { recordingLog } from '../../fixtures.ts';

test('what is set is taken back, as it was before', (t) => {
  process.env['NCI_TEST_SET'] = 'before';
  t.after(() => delete process.env['NCI_TEST_SET']);
  const undo = setVariables({ do: 'environment', variables: { NCI_TEST_SET: 'now', NCI_TEST_NEW: '' } });
  assert.equal(process.env['NCI_TEST_SET'], 'now');
  assert.equal(process.env['NCI_TEST_NEW'], '');
  undo();
  assert.equal(process.env['NCI_TEST_SET'], 'before');
  assert.equal('NCI_TEST_NEW' in process.env, false);
});

test('a shell of docker exec is told the same, quoted where a shell needs it', () => {
  const { log, lines } = recordingLog();
  const variables = { NIX_REMOTE: 'local?store=/a&real=/b', NIX_STORE_DIR: '/a', ODD: "it's" };
  announceVariables({ do: 'environment', variables }, log);
  const [line = '', ...more] = lines;
  assert.deepEqual(more, []);
  assert.match(line, /^info: .*docker exec /);
  const words = spawnSync('sh', ['-c', `printf '%s\n' ${line.slice(line.indexOf('-e '))}`], {
    encoding: 'utf8',
  });
  assert.deepEqual(words.stdout.trim().split('\n'), [
    ...Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ...['CONTAINER', 'COMMAND'],
  ]);
});
