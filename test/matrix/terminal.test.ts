import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { matrix } from '../harness/matrix.ts';
import { installCommands } from '../harness/packages.ts';
import { key } from '../harness/script.ts';
import type { Setting, SettingTerminal } from '../harness/setting.ts';

// A line that is typed is echoed too, so what is waited for must not stand in it: hence the quotes inside words.
const bash = ['bash', '--norc', '--noprofile', '-i'];
const shells = { bash, 'busybox ash': ['busybox', 'ash', '-i'] };
/** Time enough for a signal too many to arrive. */
const SETTLE_MS = 700;

async function openShell(setting: Setting, command = bash): Promise<SettingTerminal> {
  const terminal = await setting.terminal(command, { env: { PS1: 'prompt> ' } });
  const greeting = await terminal.waitFor(/[\s\S]*prompt> /);
  assert.doesNotMatch(greeting, /terminal process group|no job control|can't access tty/);
  return terminal;
}

matrix('a shell on a terminal', (matrixCase) => {
  for (const [name, command] of Object.entries(shells)) {
    matrixCase(`${name} has job control and complains of nothing`, async (setting) => {
      await installCommands({ busybox: 'busybox-static' });
      await using terminal = await openShell(setting, command);
      terminal.send('echo "flags"=$-\r');
      assert.match(await terminal.waitFor(/flags=\w+\s/), /m/);
      terminal.send('exit 7\r');
      assert.equal(await terminal.ended, 7);
    });
  }

  matrixCase('Ctrl-C is one SIGINT to the job in the foreground, and none to the shell', async (setting) => {
    await using terminal = await openShell(setting);
    terminal.send('perl /programs/count-signals.pl\r');
    await terminal.waitFor(/ready/);
    for (let count = 0; count < 2; count += 1) {
      terminal.send(key.controlC);
      await terminal.waitFor(/main got 2\r/);
      await sleep(SETTLE_MS);
      assert.doesNotMatch(terminal.rest(), /main got/);
    }
    terminal.send(key.controlBackslash);
    await terminal.waitFor(/main got 3\r/);
  });

  matrixCase('INT to the shell alone is survived, as ever', async (setting) => {
    await using terminal = await openShell(setting);
    terminal.send(key.controlC);
    await terminal.waitFor(/prompt> /);
    terminal.send('echo still "here"\r');
    await terminal.waitFor(/still here\r/);
  });

  matrixCase('Ctrl-Z stops the job alone, and fg brings it back', async (setting) => {
    await using terminal = await openShell(setting);
    terminal.send('sh -c "echo be""gun; sleep 3; echo do""ne"\r');
    await terminal.waitFor(/begun/);
    // A child that dash has by vfork(2), stopped before it executes `sleep`, keeps dash from stopping: under any init.
    await sleep(SETTLE_MS);
    terminal.send(key.controlZ);
    await terminal.waitFor(/Stopped[\s\S]*prompt> /);
    terminal.send('jobs | wc -l; fg\r');
    await terminal.waitFor(/\b1\b/);
    await terminal.waitFor(/done/);
  });

  matrixCase('a job goes on in the background, and is told when it reads', async (setting) => {
    await using terminal = await openShell(setting);
    terminal.send('cat &\r');
    await terminal.waitFor(/\[1\] \d+/);
    await sleep(SETTLE_MS);
    terminal.send('\r');
    await terminal.waitFor(/Stopped/);
  });
});

matrix('a command on a terminal that is no shell', (matrixCase) => {
  for (const [name, { send, number }] of Object.entries({
    'Ctrl-C': { send: key.controlC, number: 2 },
    'Ctrl-\\': { send: key.controlBackslash, number: 3 },
  })) {
    matrixCase(`${name} reaches it and its children, once each`, async (setting) => {
      await using terminal = await setting.terminal(['perl', '/programs/count-signals.pl']);
      await terminal.waitFor(/ready/);
      terminal.send(send);
      await terminal.waitFor(new RegExp(`got ${number}[\\s\\S]*got ${number}`));
      await sleep(SETTLE_MS);
      // Docker's client sets the size as well, when it gets to it: that is another signal.
      assert.doesNotMatch(terminal.rest(), new RegExp(`got ${number}`));
    });
    matrixCase(`${name} ends it with ${128 + number}`, async (setting) => {
      await using terminal = await setting.terminal(['sh', '-c', 'echo re"ad"y; exec sleep 60']);
      await terminal.waitFor(/ready/);
      terminal.send(send);
      assert.equal(await terminal.ended, 128 + number);
    });
  }

  matrixCase('has it for its controlling terminal, in the foreground', async (setting) => {
    const script = `use POSIX; open(my $tty, "+<", "/dev/tty") or die $!;
      print POSIX::tcgetpgrp(fileno $tty) == getpgrp() ? "foreground\\n" : "background\\n"; exit 4`;
    await using terminal = await setting.terminal(['perl', '-e', script]);
    await terminal.waitFor(/foreground/);
    assert.equal(await terminal.ended, 4);
  });

  matrixCase('reads what is typed, up to Ctrl-D', async (setting) => {
    await using terminal = await setting.terminal(['sh', '-c', 'echo re"ad"y; exec tac']);
    await terminal.waitFor(/ready/);
    terminal.send('one\rtwo\r\x04');
    await terminal.waitFor(/two\r\n[\s\S]*two\r\none\r\n/);
    assert.equal(await terminal.ended, 0);
  });

  // dumb-init #136: letting go of the terminal (TIOCNOTTY) made the kernel send HUP and CONT, which killed the command.
  matrixCase('gets neither HUP nor CONT from its start', async (setting) => {
    const script = `$SIG{$_} = sub { print "got $_[0]\\n" } for qw(HUP CONT); $| = 1; print "rea", "dy\\n";
      select(undef, undef, undef, 1); print "ov", "er\\n"; exit 5`;
    await using terminal = await setting.terminal(['perl', '-e', script]);
    await terminal.waitFor(/ready/);
    assert.doesNotMatch(await terminal.waitFor(/[\s\S]*over/), /got/);
    assert.equal(await terminal.ended, 5);
  });

  matrixCase('may detach from it, and is not killed for that', async (setting) => {
    const script = `open(my $tty, "+<", "/dev/tty") or die $!; ioctl($tty, 0x5422, 0) or die $!;
      print open(my $none, "<", "/dev/tty") ? "attached\\n" : "detached\\n"; select(undef, undef, undef, 0.5); exit 6`;
    await using terminal = await setting.terminal(['perl', '-e', script]);
    await terminal.waitFor(/detached/);
    assert.equal(await terminal.ended, 6);
  });

  matrixCase(
    'is told of a change of size once',
    async (setting) => {
      const script = `$SIG{WINCH} = sub { print "size ", \`stty size\` }; $| = 1; print "rea", "dy\\n";
      system "stty rows 41"; select(undef, undef, undef, 0.1) for 1 .. 5; exit 7`;
      await using terminal = await setting.terminal(['perl', '-e', script]);
      await terminal.waitFor(/ready/);
      await terminal.waitFor(/size 41 /);
      assert.equal(await terminal.ended, 7);
      assert.doesNotMatch(terminal.rest(), /size/);
    },
    { except: { docker: 'Docker’s client sets the size as well, when it gets to it' } },
  );

  matrixCase('with TOSTOP set, init writes to it and is not stopped by that', async (setting) => {
    // Told to end, init has something to say at this level, and the shell does not give the terminal back.
    const script = 'stty tostop; echo s"e"t; kill -TERM $PPID; sleep 60';
    const flags = ['--log-level=debug'];
    await using terminal = await setting.terminal(['sh', '-c', script], { flags });
    await terminal.waitFor(/set/);
    await terminal.waitFor(/nix-cache-init: info: shutdown/);
    assert.equal(await terminal.ended, 143);
  });

  matrixCase('finds the terminal as it was: init changes no mode of it', async (setting) => {
    const show = ['stty', '-a'];
    const modes = async (boot: { instead?: string[] }): Promise<string> => {
      await using terminal = await setting.terminal(show, boot);
      const text = await terminal.waitFor(/intr[\s\S]*echoke[^\r]*\r\n/);
      await terminal.ended;
      return text;
    };
    assert.equal(await modes({}), await modes({ instead: [] }));
  });
});

/** Counts, so that it can be seen to go on. */
const ticking = [
  'perl',
  '-e',
  '$| = 1; for (1 .. 400) { print "tick$_\\n"; select(undef, undef, undef, 0.1) }',
];
const onlyBelow = { pid1: 'it has a shell above it', docker: 'it has a shell above it' };

matrix('Ctrl-Z', (matrixCase) => {
  matrixCase(
    'to a command without a job-control shell: as nobody could bring it back, it goes on',
    async (setting) => {
      await using terminal = await setting.terminal(ticking);
      await terminal.waitFor(/tick2/);
      terminal.send(key.controlZ);
      await terminal.waitFor(/\^Z/);
      await terminal.waitFor(/tick\d+[\s\S]*tick\d+[\s\S]*tick\d+/);
      terminal.send(key.controlC);
      assert.equal(await terminal.ended, 130);
    },
    { except: { subreaper: 'a shell above init may bring it back' } },
  );

  matrixCase(
    'to a command below an init that is a job of a shell suspends both, and fg resumes both',
    async (setting) => {
      await using terminal = await setting.terminal(bash, { instead: [], env: { PS1: 'prompt> ' } });
      await terminal.waitFor(/prompt> /);
      const quoted = ticking.map((word) => `'${word}'`).join(' ');
      terminal.send(`/init --strategy none -- ${quoted}\r`);
      await terminal.waitFor(/tick2\r/);
      terminal.send(key.controlZ);
      await terminal.waitFor(/Stopped[\s\S]*prompt> /);
      await sleep(SETTLE_MS);
      assert.doesNotMatch(terminal.rest(), /tick/);
      terminal.send('fg\r');
      await terminal.waitFor(/tick\d+[\s\S]*tick\d+[\s\S]*tick\d+/);
      terminal.send(key.controlC);
      await terminal.waitFor(/prompt> /);
      terminal.send('echo co""de=$?\r');
      await terminal.waitFor(/code=130/);
    },
    { except: onlyBelow },
  );

  matrixCase(
    'and bg lets both go on in the background',
    async (setting) => {
      await using terminal = await setting.terminal(bash, { instead: [], env: { PS1: 'prompt> ' } });
      await terminal.waitFor(/prompt> /);
      terminal.send('/init --strategy none -- sh -c "echo be""gun; sleep 2; exit 5"\r');
      await terminal.waitFor(/begun/);
      terminal.send(key.controlZ);
      await terminal.waitFor(/Stopped[\s\S]*prompt> /);
      terminal.send('bg; wait %1; echo co""de=$?\r');
      await terminal.waitFor(/code=5/);
    },
    { except: onlyBelow },
  );
});
