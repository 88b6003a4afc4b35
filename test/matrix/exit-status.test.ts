import assert from 'node:assert/strict';
import { type CaseOptions, matrix } from '../harness/matrix.ts';
import type { SettingBoot } from '../harness/setting.ts';
import { deadlySignals } from '../harness/signals.ts';

const codes = Array.from({ length: 256 }, (_, code) => code);
/** Small ones, those that mean something to us or to shells, and the last. */
const telling = [0, 1, 2, 42, 64, 70, 74, 75, 77, 78, 100, 125, 126, 127, 128, 129, 137, 143, 254, 255];
const why = 'twenty stand for the others';
const sampled: CaseOptions = { except: { docker: why, subreaper: why } };

const exit = (code: number): string[] => ['sh', '-c', `exit ${code}`];
/** Perl itself ignores SIGFPE. */
const die = (signal: number): string[] => [
  'perl',
  '-e',
  `$SIG{FPE} = 'DEFAULT'; kill(${signal}, $$); sleep 60`,
];

matrix('the exit code of the command is the exit code of init', (matrixCase) => {
  for (const code of codes) {
    const body: Parameters<typeof matrixCase>[1] = async (setting) => {
      const outcome = await setting.run(exit(code));
      assert.deepEqual(outcome, { exitCode: code, stdout: '', stderr: '' });
    };
    matrixCase(`exit ${code}`, body, telling.includes(code) ? {} : sampled);
  }
});

// A wait status whose signal is overlooked reads as exit code 0.
matrix('a command that signal n ended gives 128+n', (matrixCase) => {
  for (const signal of [...deadlySignals, 34, 64]) {
    matrixCase(`signal ${signal}`, async (setting) => {
      assert.equal((await setting.run(die(signal))).exitCode, 128 + signal);
    });
  }
});

const remap = (codes: Record<number, number>): SettingBoot => ({
  flags: ['--exit-codes', JSON.stringify(codes)],
});

matrix('exitCodes changes the exit code of the command', (matrixCase) => {
  for (const code of [1, 7, 64, 126, 127, 143, 255]) {
    matrixCase(`${code} to 0, and no other`, async (setting) => {
      assert.equal((await setting.run(exit(code), remap({ [code]: 0 }))).exitCode, 0);
      const other = code - 1;
      assert.equal((await setting.run(exit(other), remap({ [code]: 0 }))).exitCode, other);
    });
  }
  matrixCase('success to failure', async (setting) => {
    assert.equal((await setting.run(exit(0), remap({ 0: 9 }))).exitCode, 9);
  });
  matrixCase('several at once, each once', async (setting) => {
    const swapped = remap({ 3: 4, 4: 3 });
    assert.equal((await setting.run(exit(3), swapped)).exitCode, 4);
    assert.equal((await setting.run(exit(4), swapped)).exitCode, 3);
  });
  matrixCase('that of a signal too', async (setting) => {
    assert.equal((await setting.run(die(15), remap({ 143: 0 }))).exitCode, 0);
    assert.equal((await setting.run(die(9), remap({ 143: 0 }))).exitCode, 137);
  });
  matrixCase('as the environment says it too', async (setting) => {
    const env = { NIX_CACHE_INIT_EXIT_CODES: '{"7":0}' };
    assert.equal((await setting.run(exit(7), { env })).exitCode, 0);
  });
  matrixCase('but not that of a command which never started', async (setting) => {
    assert.equal((await setting.run(['/no/such/command'], remap({ 127: 0 }))).exitCode, 127);
  });
});
