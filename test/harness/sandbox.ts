import { type Boot, type Container, startContainer } from './container.ts';

// Docker masks parts of /proc, and the kernel then refuses the sandbox a /proc of its own.
const flags = ['--security-opt', 'systempaths=unconfined', '--security-opt', 'seccomp=unconfined'];
const settings = [
  'build-users-group = nixbld',
  'sandbox = true',
  'sandbox-fallback = false',
  'sandbox-paths = /bin/busybox',
];
const prepare = [
  'echo nixbld:x:30000:nixbld1,nixbld2 >> /etc/group',
  ...[1, 2].map((n) => `echo nixbld${n}:x:${30000 + n}:30000::/var/empty:/bin/false >> /etc/passwd`),
  ...settings.map((setting) => `echo "${setting}" >> /etc/nix/nix.conf`),
  'chgrp 30000 /nix/store && chmod 1775 /nix/store',
];

/** Boots where nix-daemon builds in its sandbox, as build users, or not at all. */
export function startSandboxed(options: Boot): Promise<Container> {
  // Before init, as an image has it: the daemon reads its configuration when it starts.
  const script = `${prepare.join('; ')}; exec /init "$@"`;
  return startContainer({
    ...options,
    flags: [...flags, '--entrypoint', 'sh', ...(options.flags ?? [])],
    before: ['-euc', script, 'sh'],
  });
}
