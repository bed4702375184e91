#!/usr/bin/env bash
# Writes the spec of a package without files that says what a root filesystem of
# Debian packages has, in the words that RPMs require things by: each Debian
# package by its name and version, some under the name that EL gives them, the
# sonames of its libraries, and the interpreters.
#
# usage: base-os.sh ROOT >SPEC
#        PACKAGES: the folder of the packages' specs
set -euo pipefail
root=$1

version_of() {
    chroot "$root" dpkg-query -W -f "\${Version}" "$1" | sed -E 's/^[0-9]+://; s/[^A-Za-z0-9._+~]/./g'
}

cat <<'SPEC'
Name: base-os
Version: 9
Release: 1
Summary: What the lab's node has from the start
License: Apache-2.0
BuildArch: x86_64
AutoReqProv: no
Provides: system-release = 9
Provides: system-release(releasever) = 9
Provides: redhat-release = 9
Provides: rtld(GNU_HASH)
Provides: /sbin/ldconfig
SPEC
# shellcheck disable=SC2016 # dpkg-query expands these
chroot "$root" dpkg-query -W -f '${Package}\n' | while read -r package; do
    echo "Provides: $package = $(version_of "$package")"
done
# The names that the distribution's repository has for what is there already.
grep -v '^#' "${PACKAGES:?the folder of the packages\' specs}/from-debian.txt" |
    while read -r name packages; do
        # shellcheck disable=SC2016,SC2086 # dpkg-query expands these; several names
        status=$(chroot "$root" dpkg-query -W -f '${db:Status-Status}\n' $packages 2>&1 | sort -u || true)
        if [[ $status == installed ]]; then
            echo "Provides: $name = $(version_of "${packages%% *}")"
        fi
    done
while read -r name package; do
    echo "Provides: $name = $(version_of "$package")"
done <<'NAMES'
glibc libc6
iproute iproute2
iputils iputils-ping
kmod-libs libkmod2
procps-ng procps
shadow-utils passwd
libgcc libgcc-s1
openssh-clients openssh-client
NAMES
for program in /bin/sh /bin/bash /usr/bin/bash /usr/bin/env /usr/bin/python3 /usr/bin/perl \
    /usr/sbin/modprobe /usr/bin/systemctl /usr/sbin/useradd /usr/sbin/groupadd; do
    [[ -e $root$program ]] && echo "Provides: $program"
done
find "$root"/usr/lib/x86_64-linux-gnu "$root"/lib64/ -maxdepth 1 -name '*.so*' -exec realpath {} + |
    sort -u | grep "^$(realpath "$root")/" |
    /usr/lib/rpm/elfdeps --provides | sort -u | sed 's/^/Provides: /'
cat <<'SPEC'
%description
Generated from the root filesystem; owns no files.
%files
SPEC
