# Asks nix-daemon for its greeting until it answers (worker protocol of Nix: a magic number each way), and says so.
use strict;
use Socket;
use Time::HiRes qw(sleep);
my $address = pack_sockaddr_un('/nix/var/nix/daemon-socket/socket');
for (;;) {
  socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
  if (connect($socket, $address)) {
    syswrite $socket, pack('Q<', 0x6e697863);
    last if sysread($socket, my $answer, 8);
  }
  sleep 0.001;
}
syswrite STDOUT, "answered\n";
sleep 60 while $ARGV[0];
