#!/bin/sh
# Runs the pinned Node, and puts it first on PATH for what that runs. Not every npm links a program called node.
set -eu
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "no Node is pinned for $(uname -m): use x86_64 or aarch64" >&2; exit 1 ;;
esac
bin=$(cd "$(dirname "$0")/.." && pwd)/node_modules/node-linux-$arch/bin
if [ ! -x "$bin/node" ]; then
  echo "the pinned Node is missing: run npm ci first" >&2
  exit 1
fi
PATH=$bin:$PATH
export PATH
# It needs libatomic, which a fresh Debian lacks and Node could not install for itself.
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
