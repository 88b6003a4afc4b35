#!/bin/sh
# Runs a command where a boot may mount what it likes, on a small image and volume: `unshare … sh warm-ground.sh GROUND
# COMMAND…`, with a mount and a PID namespace of its own. Twice: the first boot seeds the volume.
set -eu
ground=$1
shift
mount -t tmpfs ground /run
mount -t tmpfs ground "$ground"
mkdir -p "$ground/volume" "$ground/store" "$ground/state/db" "$ground/state/gcroots/auto" "$ground/etc"
mount -t tmpfs volume "$ground/volume"
"$@"
exec "$@"
