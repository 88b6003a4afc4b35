import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { matrix } from '../harness/matrix.ts';
import { signal } from '../harness/signals.ts';
import { waitForText } from '../harness/waitForText.ts';

const shell = (script: string): string[] => ['sh', '-c', script];
/** dash knows no numbers above 9. */
const inBash = (redirections: string): string => `exec bash -c 'exec ${redirections}; exec "$@"' bash "$@"`;

matrix('open files', (matrixCase) => {
  matrixCase('the command has none of init’s', async (setting) => {
    const list = ['ls', '/proc/self/fd'];
    assert.equal((await setting.run(list)).stdout, (await setting.run(list, { instead: [] })).stdout);
  });

  for (const fd of [3, 7, 16, 17, 93, 255]) {
    matrixCase(`file ${fd} reaches the command, and init lets go of it`, async (setting) => {
      const script = `readlink /proc/$$/fd/${fd}; echo up; exec sleep 60`;
      await using running = await setting.start(shell(script), { via: inBash(`${fd}</etc/passwd`) });
      await running.waitFor(/up/);
      assert.equal(running.output(), '/etc/passwd\nup\n');
      const init = await running.pid();
      // It closes its own right after the command has started.
      const targets = (): string =>
        readdirSync(`/proc/${init}/fd`)
          .map((name) => readlinkSync(`/proc/${init}/fd/${name}`))
          .join('\n');
      await waitForText(targets, /^(?![\s\S]*\/passwd)/, () => true);
    });
  }

  matrixCase('its offset is shared: what was read before is not read again', async (setting) => {
    const via = `exec bash -c 'exec 7</etc/passwd; read -r line <&7; exec "$@"' bash "$@"`;
    const { stdout } = await setting.run(shell('cat <&7 | wc -l; wc -l </etc/passwd'), { via });
    const [rest = '', all = ''] = stdout.split('\n');
    assert.equal(Number(rest), Number(all) - 1);
  });

  // Three kinds that Node has of its own too, so init must tell its own from those it was given.
  const kinds: Record<string, string> = {
    'both ends of a pipe, as make’s job server has them,':
      'pipe(my $r, my $w); syswrite $w, "through\\n"; @fds = (fileno $r, fileno $w)',
    'an end of a pipe': 'pipe(my $r, my $w); syswrite $w, "through\\n"; close $w; @fds = (fileno $r)',
    'an event descriptor': '@fds = (syscall($^O && (POSIX::uname())[4] eq "x86_64" ? 290 : 19, 0, 0))',
    'a socket': 'socketpair(my $r, my $w, 1, 1, 0); syswrite $w, "through\\n"; @fds = (fileno $r, fileno $w)',
  };
  for (const [name, make] of Object.entries(kinds)) {
    matrixCase(`${name} reaches the command`, async (setting) => {
      const program = `use POSIX (); $^F = 99; my @fds; ${make}; print "@fds\\n"; $| = 1; $| = 0; exec @ARGV`;
      const via = `exec perl -e '${program}' "$@"`;
      const { stdout } = await setting.run(['sh', '-c', 'echo /proc/$$/fd/*'], { via });
      const [wanted = '', there = ''] = stdout.split('\n');
      const found = there.split(' ').map((path) => Number(path.split('/').at(-1)));
      for (const fd of wanted.split(' ').map(Number)) assert.ok(found.includes(fd), stdout);
    });
  }

  matrixCase('nothing of init’s keeps the command’s pipe open', async (setting) => {
    // The reader sees the end of it when the command closes it.
    const via = `exec bash -c 'exec 7> >(cat; echo end); exec "$@"' bash "$@"`;
    await using running = await setting.start(shell('echo word >&7; exec 7>&-; exec sleep 60'), { via });
    await running.waitFor(/word\nend/);
  });
});

const closed = ['0<&-', '1>&-', '2>&-', '0<&- 1>&-', '0<&- 2>&-', '1>&- 2>&-', '0<&- 1>&- 2>&-'];

matrix('standard input and output', (matrixCase) => {
  for (const redirection of closed) {
    matrixCase(`it starts with ${redirection}`, async (setting) => {
      const { exitCode } = await setting.run(shell('exit 6'), { via: `exec "$@" ${redirection}` });
      assert.equal(exitCode, 6);
    });
  }

  for (const source of ['/dev/null', '/etc/passwd', '/dev/zero']) {
    matrixCase(`it starts with ${source} for standard input`, async (setting) => {
      const via = `exec "$@" <${source}`;
      const { exitCode, stdout, stderr } = await setting.run(shell('readlink /proc/$$/fd/0; exit 6'), {
        via,
      });
      assert.deepEqual([exitCode, stdout, stderr], [6, `${source}\n`, '']);
    });
  }

  matrixCase('what is written to standard input reaches the command, to the end', async (setting) => {
    const input = 'x'.repeat(200_000);
    const { stdout } = await setting.run(['wc', '-c'], { input });
    assert.equal(stdout.trim(), '200000');
  });

  matrixCase('a megabyte of output arrives whole', async (setting) => {
    const { stdout } = await setting.run(shell('head -c 1000000 /dev/zero | tr "\\\\0" y; exit 0'));
    assert.equal(stdout.length, 1_000_000);
  });

  matrixCase('output and errors stay apart', async (setting) => {
    const outcome = await setting.run(shell('echo out; echo err >&2'));
    assert.deepEqual(outcome, { exitCode: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  matrixCase('pipes stay blocking, or the command would lose output', async (setting) => {
    const script = 'grep -h ^flags /proc/self/fdinfo/0 /proc/self/fdinfo/1 /proc/self/fdinfo/2';
    const { stdout } = await setting.run(shell(script), { via: 'echo | "$@" 2>&1 | cat' });
    const flags = [...stdout.matchAll(/\t(\d+)$/gm)].map(([, octal]) => Number.parseInt(octal ?? '', 8));
    const O_NONBLOCK = 0o4000;
    assert.deepEqual(
      flags.map((flag) => flag & O_NONBLOCK),
      [0, 0, 0],
    );
  });

  matrixCase('a reader who goes away ends the command and not init', async (setting) => {
    const via = `"$@" | head -n 1; echo "init ended with \${PIPESTATUS[0]}"`;
    const { stdout } = await setting.run(['yes'], { via: `exec bash -c '${via}' bash "$@"` });
    assert.equal(stdout, `y\ninit ended with ${128 + signal.PIPE}\n`);
  });
});
