#!/bin/sh
# The shell recipe that this program replaces, on a volume that has been used before.
set -e
# Debian's smallest has none of its own.
type mount >/dev/null || mount() { busybox mount "$@"; }
mount -t overlay -o lowerdir=/nix/store,upperdir=/nix-cache/upper,workdir=/nix-cache/workdir overlay /nix/store
mount -o bind /nix-cache/var/nix /nix/var/nix
exec "$@"
