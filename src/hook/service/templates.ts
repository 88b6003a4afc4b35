/** How the machine starts its services. */
export type Manager = 'systemd' | 'sysv';

/**
 * For node-linux's generator, whose names of fields these are: `execpath` is our program, `path` the volume, `wrappercode` our
 * options. In three braces: in two it would write them as for HTML.
 */
export const templates: Readonly<Record<Manager, string>> = {
  // sockets.target comes after sysinit.target, and with it whatever has a socket in the state directory; so does what
  // systemd-tmpfiles makes there. The default dependencies would have us wait for both.
  systemd: `[Unit]
Description={{{description}}}
DefaultDependencies=no
RequiresMountsFor={{{path}}}
After=local-fs.target
Before=sysinit.target systemd-tmpfiles-setup.service nix-daemon.socket nix-daemon.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart={{{execpath}}} mount{{{wrappercode}}}
ExecStop={{{execpath}}} unmount{{{wrappercode}}}

[Install]
WantedBy=sysinit.target
`,
  sysv: `#!/bin/sh
### BEGIN INIT INFO
# Provides:          nix-cache-init
# Required-Start:    $local_fs
# Required-Stop:     $local_fs
# X-Start-Before:    nix-daemon
# X-Stop-After:      nix-daemon
# Default-Start:     S
# Default-Stop:      0 6
# Short-Description: {{{description}}}
### END INIT INFO
set -eu
case "\${1-}" in
  start) exec {{{execpath}}} mount{{{wrappercode}}} ;;
  stop) exec {{{execpath}}} unmount{{{wrappercode}}} ;;
  restart | force-reload)
    {{{execpath}}} unmount{{{wrappercode}}}
    exec {{{execpath}}} mount{{{wrappercode}}}
    ;;
  *)
    echo "Usage: $0 start|stop|restart|force-reload" >&2
    exit 64
    ;;
esac
`,
};
