import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setVariables } from '../../../../src/store/steps/environment.ts';

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
