import assert from 'node:assert/strict';
import { flagName, keyNames } from '../../src/config/keys.ts';
import { assertFails } from '../harness/failureLine.ts';
import { matrix } from '../harness/matrix.ts';

const never = ['echo', 'the command ran'];
const init = (...words: string[]): { instead: string[] } => ({ instead: ['/init', ...words] });

const wrong: Record<string, { words: string[]; says: RegExp }> = {
  'an unknown option': { words: ['--no-such-option', '--'], says: /no-such-option/ },
  'an unknown short option': { words: ['-x', '--'], says: /-x/ },
  'an option nearly right': {
    words: ['--stratgy=none', '--'],
    says: /^nix-cache-init: usage: .*--stratgy.*--strategy/,
  },
  'an option without its value': { words: ['--strategy'], says: /strategy/ },
  'a switch with a value': { words: ['--help=yes', '--'], says: /--help/ },
};

matrix('a wrong use ends with 64 and says what is wrong', (matrixCase) => {
  for (const [name, { words, says }] of Object.entries(wrong)) {
    matrixCase(name, async (setting) => {
      const outcome = await setting.run(words.includes('--') ? never : [], init(...words));
      assertFails(outcome, 64, says);
      assert.equal(outcome.stdout, '');
    });
  }
});

matrix('a wrong setting ends with 78 and says what is allowed', (matrixCase) => {
  for (const [flag, says] of [
    ['--strategy=bogus', /none/],
    ['--shutdown-grace=soon', /8s/],
    ['--process-group=perhaps', /true/],
    ['--exit-codes=7', /JSON/],
    ['--log-level=loud', /debug/],
  ] as const) {
    matrixCase(flag, async (setting) => {
      const outcome = await setting.run(never, init(flag, '--'));
      assertFails(outcome, 78, says);
      assert.equal(outcome.stdout, '');
    });
  }
  matrixCase('in the environment, under a name nearly right', async (setting) => {
    const env = { NIX_CACHE_INIT_STRATEGIE: 'none' };
    assertFails(await setting.run(never, { env }), 78, /NIX_CACHE_INIT_STRATEGIE.*strategy/i);
  });
});

matrix('a command that cannot start', (matrixCase) => {
  for (const command of ['/no/such/command', './no-such-command', 'no-such-command', '/etc/passwd/x', '']) {
    matrixCase(`${JSON.stringify(command)} is not found: 127`, async (setting) => {
      assertFails(await setting.run([command]), 127, /command.*: E(NOENT|NOTDIR) \(/);
    });
  }
  matrixCase('a script whose interpreter is missing is not found: 127', async (setting) => {
    const via = 'printf "#!/no/such\\n" >/tmp/orphaned; chmod +x /tmp/orphaned; exec "$@"';
    assertFails(await setting.run(['/tmp/orphaned'], { via }), 127, /ENOENT \(.*interpreter/);
  });
  for (const [command, errno] of [
    ['/etc/passwd', 'EACCES'],
    ['/etc', 'EACCES'],
    ['/usable', 'ENOEXEC'],
  ] as const) {
    matrixCase(`${command} cannot be executed: 126`, async (setting) => {
      const via = 'echo "neither an ELF program nor a script" >/usable; chmod +x /usable; exec "$@"';
      assertFails(await setting.run([command], { via }), 126, new RegExp(`${command}: ${errno} \\(`));
    });
  }
});

matrix('asked about itself, it answers with 0 and runs nothing', (matrixCase) => {
  for (const flag of ['--help', '-h']) {
    matrixCase(
      `${flag} begins with its usage, names every option in one line of 80 columns at most`,
      async (setting) => {
        const { exitCode, stdout, stderr } = await setting.run(never, init(flag, '--'));
        assert.deepEqual([exitCode, stderr], [0, '']);
        assert.match(stdout, /^Usage: nix-cache-init /);
        const lines = stdout.trimEnd().split('\n');
        for (const name of keyNames)
          assert.equal(lines.filter((line) => line.startsWith(`  --${flagName(name)} `)).length, 1, name);
        for (const line of lines) assert.ok([...line].length <= 80, line);
        assert.doesNotMatch(stdout, /the command ran/);
      },
    );
  }
  matrixCase('--version is one line', async (setting) => {
    const { exitCode, stdout } = await setting.run(never, init('--version', '--'));
    assert.equal(exitCode, 0);
    assert.match(stdout, /^nix-cache-init \d+\.\d+\.\d+\n$/);
  });
});
