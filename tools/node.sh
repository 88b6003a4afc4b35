#!/bin/sh
# Runs the pinned Node. It needs libatomic, which a fresh Debian lacks and Node could not install for itself.
set -eu
if ! node --version > /dev/null 2>&1; then
  if [ "$(id -u)" != 0 ]; then
    echo "node cannot start: run as root, or first: apt-get install libatomic1" >&2
    exit 1
  fi
  echo "Installing Debian packages: libatomic1"
  export DEBIAN_FRONTEND=noninteractive
  install="apt-get install -y -q --no-install-recommends libatomic1"
  $install > /dev/null 2>&1 || { apt-get update -q > /dev/null && $install > /dev/null; }
fi
exec node "$@"
