/** Connects as its first act, then greets: WORKER_MAGIC_1 out, WORKER_MAGIC_2 back, so Nix itself answered. */
export const greet = `
use Socket;
socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
connect($s, sockaddr_un("/nix/var/nix/daemon-socket/socket")) or die "connect: $!";
alarm 60;
syswrite($s, pack("Q<", 0x6e697863));
sysread($s, my $reply, 8) == 8 or die "no reply: $!";
print unpack("Q<", $reply) == 0x6478696f ? "answered\\n" : "odd\\n";
`;
