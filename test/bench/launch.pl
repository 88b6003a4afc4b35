# Times one program from its execve(2) as PID 1: to its first output, which is how the command under it says that it is
# at its end, and to its own end. What comes before (namespaces, /proc, chroot) is the same for every program and is not
# in the times.
# Usage: perl launch.pl ROOT COMMAND [ARG...]; prints the two in nanoseconds, and the status.
use strict;
use POSIX ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my ($root, @command) = @ARGV;
my %unshare = (x86_64 => 272, aarch64 => 97);
my $machine = (POSIX::uname())[4];
my ($NEWNS, $NEWPID) = (0x00020000, 0x20000000);
syscall($unshare{$machine}, $NEWNS | $NEWPID) == 0 or die "unshare: $!";
pipe(my $read, my $write) or die $!;
pipe(my $listen, my $say) or die $!;
%ENV = (PATH => '/usr/local/bin:/usr/bin:/bin', HOME => '/root', NIX_CACHE_INIT_DAEMON_ENABLED => 'no');
my $pid = fork() // die $!;
if ($pid == 0) {
  close $read;
  # Only a process within the PID namespace can mount its /proc, and only after that may it be left.
  if (my $helper = fork()) { waitpid($helper, 0); $? == 0 or POSIX::_exit(99); }
  else { exec 'mount', '-t', 'proc', 'proc', "$root/proc"; }
  chroot $root or die $!;
  chdir '/' or die $!;
  open STDIN, '<', '/dev/null';
  open STDOUT, '>&', $say;
  syswrite $write, pack('F', clock_gettime(CLOCK_MONOTONIC));
  exec { $command[0] } @command;
  POSIX::_exit(98);
}
close $_ for $write, $say;
my $said = sysread($listen, my $output, 1) ? clock_gettime(CLOCK_MONOTONIC) : undef;
waitpid($pid, 0);
my $end = clock_gettime(CLOCK_MONOTONIC);
my $status = $?;
sysread($read, my $packed, 8) == 8 or die 'never started';
my $start = unpack('F', $packed);
printf "%.0f %.0f %d\n", (($said // $end) - $start) * 1e9, ($end - $start) * 1e9, $status >> 8 || $status & 127;
