#!/bin/sh
# The shell recipe that this program replaces, on a volume that has been used before.
set -e
mount -t overlay overlay -o lowerdir=/nix/store,upperdir=/nix-cache/upper,workdir=/nix-cache/workdir /nix/store
mount --bind /nix-cache/var/nix /nix/var/nix
exec "$@"
