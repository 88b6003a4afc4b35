import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { formatForTerminal, logWritten } from '../../src/log.ts';

const line = (fields: Record<string, unknown>): string =>
  formatForTerminal(
    `${JSON.stringify({ level: 30, time: '2026-01-01T00:00:00Z', msg: 'hello', ...fields })}\n`,
  );

const levels: [number, string][] = [
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
];

for (const [level, severity] of levels) {
  test(`level ${level} is shown as ${severity}`, () => {
    assert.equal(line({ level }), `nix-cache-init: ${severity}: hello\n`);
  });
}

test('fields follow the message, quoted where they need it', () => {
  assert.equal(
    line({ path: '/a b', count: 2, list: ['x'], none: null }),
    'nix-cache-init: info: hello path="/a b" count=2 list=["x"] none=null\n',
  );
});

test('a line stays one line, whatever a field holds', () => {
  assert.equal(line({ output: 'a\nb' }), 'nix-cache-init: info: hello output="a\\nb"\n');
});

test('a pid that was logged is shown', () => {
  assert.match(line({ pid: 7 }), / pid=7$/m);
});

/** What a fresh process with this log writes to its stderr, which is no terminal; it ends as init does. */
function logged(config: Record<string, string>): string[] {
  const script = `
    import { createLog, logWritten } from '${import.meta.resolve('../../src/log.ts')}';
    const log = createLog(${JSON.stringify(config)});
    for (const level of ['debug', 'info', 'warn', 'error']) log[level]('said', { at: level });
    await logWritten();
    process.exit();`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, '']);
  return stderr.split('\n').filter((text) => text !== '');
}

const thresholds: [string, string[]][] = [
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
  ['silent', []],
];

for (const [level, expected] of thresholds) {
  test(`log.level ${level} lets ${expected.join(', ') || 'nothing'} through, in order, before logWritten`, () => {
    const lines = logged({ 'log.level': level, 'log.format': 'text' });
    const shown = lines.map((text) =>
      /^nix-cache-init: ([a-z]+): said .*\bat="([a-z]+)"$/.exec(text)?.slice(1),
    );
    assert.deepEqual(
      shown,
      expected.map((at) => [at, at]),
    );
  });
}

test('as text a line says what was logged and nothing else', () => {
  const lines = logged({ 'log.level': 'error', 'log.format': 'text' });
  assert.deepEqual(lines, ['nix-cache-init: error: said at="error"']);
});

test('with nothing said there is nothing to wait for', async () => {
  assert.equal(await logWritten(), undefined);
});

for (const format of ['auto', 'json']) {
  test(`where no terminal is, log.format ${format} means JSON lines with a time`, () => {
    const [line = '', ...more] = logged({ 'log.level': 'error', 'log.format': format });
    assert.deepEqual(more, []);
    const { time, level, msg, at, pid, hostname } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual({ level, msg, at }, { level: 50, msg: 'said', at: 'error' });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    // The same in every line of a container.
    assert.deepEqual([pid, hostname], [undefined, undefined]);
  });
}
