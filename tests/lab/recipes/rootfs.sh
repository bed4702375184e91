#!/usr/bin/env bash
# A root filesystem of Debian packages, from whichever mirror this machine uses.
#
# usage: rootfs.sh OUT PACKAGE…    (OUT is a new folder)
#        DEBS: a folder that keeps what was downloaded
set -euo pipefail
out=$1
shift
packages=$(IFS=,; echo "$*")
mkdir -p "${DEBS:?a folder for Debian packages}"
mirror=$(apt-get indextargets --format "\$(REPO_URI) \$(CODENAME)" 'Created-By: Packages' 'Origin: Debian' |
    awk '$2 == "bookworm" { print $1; exit }')
# What packages do when they are installed must not move the machine's clock.
if ! setpriv --bounding-set=-sys_time debootstrap --cache-dir="$DEBS" --variant=minbase --include="$packages" \
    bookworm "$out" "$mirror" >"$out.log" 2>&1; then
    tail -n 20 "$out.log" >&2
    exit 1
fi
rm -rf "$out.log" "$out"/var/cache/apt/archives/*.deb "$out"/var/lib/apt/lists/*
