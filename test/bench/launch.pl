# Times one program from its execve(2) as PID 1: to its first output, which is how the command under it says that it is
# at its end, and to its own end. What comes before (namespaces, /proc, chroot) is the same for every program and is not
# in the times.
# Usage: perl launch.pl [--until-output] ROOT COMMAND [ARG...]; kills it at its first output when asked to; prints the two in nanoseconds, the status, and the processor time of all
# that it started.
use strict;
use FindBin;
use lib "$FindBin::Bin/../fixtures/programs";
use Pid1;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my $until_output = $ARGV[0] eq '--until-output' && shift;
my ($root, @command) = @ARGV;
pipe(my $listen, my $say) or die $!;
my ($pid, $started) = Pid1::start(root => $root, apart => 1, stdout => $say, command => \@command);
close $say;
# For one that would never say anything.
local $SIG{ALRM} = sub { kill 'KILL', $pid };
alarm 60 if $until_output;
my $said = sysread($listen, my $output, 1) ? clock_gettime(CLOCK_MONOTONIC) : undef;
die 'it ended and said nothing' if $until_output && !defined $said;
kill 'KILL', $pid if $until_output;
waitpid($pid, 0);
my $end = clock_gettime(CLOCK_MONOTONIC);
my $status = Pid1::status();
sysread($started, my $packed, 8) == 8 or die 'never started';
my $start = unpack('F', $packed);
printf "%.0f %.0f %d %.0f\n", (($said // $end) - $start) * 1e9, ($end - $start) * 1e9, $status,
  Pid1::children_seconds() * 1e9;
