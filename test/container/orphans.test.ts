import assert from 'node:assert/strict';
import { boot, startIdle } from '../harness/container.ts';
import { containerTest } from '../harness/containerTest.ts';

/** A thousand orphans that all wait on one pipe and end the moment it closes. */
const orphans = `
use POSIX ();
pipe(my $hold, my $release);
for (1 .. 1000) {
  my $middle = fork();
  if ($middle == 0) {
    if (fork() == 0) { close $release; sysread($hold, my $byte, 1); POSIX::_exit(1); }
    POSIX::_exit(0);
  }
  waitpid($middle, 0);
}
close $hold;
close $release;
`;

const countZombies = `
$| = 1;
sleep 1;
my ($zombies, $children) = (0, 0);
for my $file (glob("/proc/[0-9]*/stat")) {
  open(my $stat, "<", $file) or next;
  my ($state, $parent) = <$stat> =~ /.*\\) (\\S) (\\d+)/ or next;
  $zombies += 1 if $state eq "Z";
  $children += 1 if $parent == 1;
}
print "zombies=$zombies children=$children\\n";
POSIX::_exit(42);
`;

containerTest('1,000 orphans that end at once leave no zombie after a second', async () => {
  const result = await boot({ command: ['perl', '-e', orphans + countZombies] });
  assert.match(result.stdout, /zombies=0/);
  assert.equal(result.exitCode, 42);
});

containerTest('a main command that ends among 1,000 orphans keeps its code', async () => {
  for (const code of [1, 42, 200]) {
    const result = await boot({ command: ['perl', '-e', `${orphans} POSIX::_exit(${code});`] });
    assert.equal(result.exitCode, code, result.stderr);
  }
});

containerTest('what `docker exec` leaves behind is reaped too', async () => {
  await using container = await startIdle();
  await container.exec(['sh', '-c', '(setsid sleep 0.2 &) ; exit 0']);
  const count = await container.exec(['perl', '-e', `use POSIX (); ${countZombies}`]);
  assert.match(count.stdout, /zombies=0/);
});
