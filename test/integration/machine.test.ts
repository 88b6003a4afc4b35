import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { assertClean, type Disk, makeDisk, runGuest, script, startGuest } from '../harness/guest.ts';
import { namespaceTest } from '../harness/namespaceTest.ts';

// One disk for all, in this order: each boot finds what the one before it left.
let disk: Disk;
before(async () => {
  disk = await makeDisk();
});
after(() => disk[Symbol.asyncDispose]());

/** How a machine has to go: by its init's own doing, its disk in order. */
async function assertOff(console: string, way: 'power off' | 'restart', code: number): Promise<void> {
  assert.match(console, new RegExp(`^nix-cache-init: ${way}: the command ended with ${code}$`, 'm'));
  assert.match(console, way === 'restart' ? /reboot: Restarting system/ : /reboot: Power down/, console);
  assert.doesNotMatch(console, /panic|Attempted to kill init|Oops|BUG:|could not undo/);
  await assertClean(disk);
}

const ready = [
  /^overlay \/nix\/store overlay .*upperdir=\/nix-cache\/upper/m,
  /^\/dev\/vdb \/nix-cache ext4 rw,noatime /m,
  /^init \/opt\/nix-cache-init\/bin\/nix-cache-init, home \/root, terminal \/dev\/ttyS0$/m,
  /^zombies: 0$/m,
];

const built = /^\/nix\/store\/[a-z0-9]{32}-c$/m;
let path: string | undefined;

namespaceTest(
  'the init of a kernel builds on its second disk; killed, it turns the machine off',
  async () => {
    const console = await runGuest({ disk, command: script('killed') });
    assert.match(console, /building '\/nix\/store\/[a-z0-9]{32}-c\.drv'/, console);
    for (const pattern of ready) assert.match(console, pattern);
    path = built.exec(console)?.[0];
    assert.ok(path !== undefined, console);
    await assertOff(console, 'power off', 137);
  },
);

namespaceTest(
  'the second boot has what the first one built; Ctrl-Alt-Del is a stop and a restart',
  async () => {
    const console = await runGuest({ disk, command: script('restart') });
    assert.doesNotMatch(console, /building '/);
    assert.equal(built.exec(console)?.[0], path, console);
    for (const pattern of [...ready, /^told$/m]) assert.match(console, pattern);
    await assertOff(console, 'restart', 6);
  },
);

namespaceTest('the command has a controlling terminal: job control, and one Ctrl-C is one INT', async () => {
  await using guest = await startGuest({ disk, command: ['/bin/bash', '--norc', '-i'] });
  await guest.waitFor(/# /);
  guest.send("echo flags''=$- >/dev/tty\r");
  assert.match(await guest.waitFor(/flags=\w+\s/), /m/);
  const catcher = `$| = 1; $SIG{INT} = sub { print "inter"."rupted\\n"; exit 9 }; print "slee"."ping\\n"; sleep 1 while 1`;
  guest.send(`perl -e '${catcher}'\r`);
  await guest.waitFor(/sleeping/);
  guest.send('\x03');
  await guest.waitFor(/interrupted/);
  guest.send("echo code''=$?\r");
  await guest.waitFor(/code=9\s/);
  assert.doesNotMatch(guest.rest(), /interrupted/);
  guest.send('exit 3\r');
  const console = await guest.ended;
  assert.doesNotMatch(console, /job control|process group/);
  await assertOff(console, 'power off', 3);
});

namespaceTest('TERM to the init stops the command and turns the machine off', async () => {
  const console = await runGuest({ disk, command: script('stop') });
  assert.match(console, /^told$/m);
  await assertOff(console, 'power off', 5);
});

namespaceTest('what fails before a command runs turns the machine off, too, and says what', async () => {
  const missing = await runGuest({ disk, command: ['/no/such/command'] });
  assert.match(missing, /^nix-cache-init: run: .*\/no\/such\/command: ENOENT/m, missing);
  await assertOff(missing, 'power off', 127);
  // The kernel makes variables of the words that mean nothing to it.
  const words = ['NIX_CACHE_INIT_STRATEGY=bogus'];
  const refused = await runGuest({ disk, words, command: ['true'] });
  assert.match(refused, /^nix-cache-init: config: .*bogus.*\(.*overlay/m, refused);
  await assertOff(refused, 'power off', 78);
});
