import assert from 'node:assert/strict';
import { matrix } from '../harness/matrix.ts';

const codes = Array.from({ length: 256 }, (_, code) => code);
/** Small ones, those that mean something to us or to shells, and the last. */
const telling = [0, 1, 2, 42, 64, 70, 74, 75, 77, 78, 100, 125, 126, 127, 128, 129, 137, 143, 254, 255];

matrix('exit codes', (matrixCase) => {
  for (const code of codes) {
    matrixCase(
      `exit ${code} is handed on as it is`,
      async (setting) => {
        const outcome = await setting.run(['sh', '-c', `exit ${code}`]);
        assert.deepEqual(outcome, { exitCode: code, stdout: '', stderr: '' });
      },
      telling.includes(code) ? {} : { except: { docker: 'twenty containers stand for the others' } },
    );
  }
});
