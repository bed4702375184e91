#!/usr/bin/env bash
# The distribution's signed yum repositories: os, and os-next, which is os on
# another day.
#
# usage: packages.sh OUT    (a new folder)
#        RECIPES: this folder;  PACKAGES: the folder of specs;  PARTS: a root file
#        system to take files of Debian's packages from;  KEYS: see keys.sh;
#        BASE: the nodes' root file system
set -euo pipefail
out=$1
packages=${PACKAGES:?} parts=${PARTS:?} base=${BASE:?}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out/os/Packages"
# shellcheck source=tests/lab/recipes/rpm.sh
. "${RECIPES:?}/rpm.sh"

# A spec for the files of Debian packages, but for documentation.
from_debian() {
    local name=$1 version upstream
    shift
    version=$(chroot "$parts" dpkg-query -W -f "\${Version}" "$1" | sed 's/^[0-9]*://; s/[^A-Za-z0-9._+~-]/./g')
    upstream=${version%-*}
    cat <<SPEC
Name: $name
Version: ${upstream//-/.}
Release: ${version##*-}%{?next}
Summary: Debian's $*
License: See Debian
SPEC
    [[ ! -e $packages/$name.inc ]] || cat "$packages/$name.inc"
    cat <<SPEC
%description
The files of Debian's $*.
%install
tar -C %{parts} -c --no-recursion -T $work/$name.files | tar -C %{buildroot} -x
%files
SPEC
    chroot "$parts" dpkg -L "$@" | sed -E '\#^(package diverts|diverted)#d; s#^/(bin|sbin|lib|lib64)/#/usr/\1/#' |
        grep -vE '^/usr/share/(doc|man|lintian|bug|locale)/|^/etc/init.d/|^/(bin|sbin|lib|lib64)$' | sort -u |
        while read -r path; do
            # Folders that nodes lack are the package's, as on EL.
            if [[ ! -d $parts$path || -L $parts$path ]]; then
                echo "$path"
            elif [[ ! -e $base$path ]]; then
                echo "%dir $path"
            fi
        done >"$work/$name.paths"
    sed 's#^%dir ##; s#^#.#' "$work/$name.paths" >"$work/$name.files"
    sed 's#^/etc/.*#%config(noreplace) &#' "$work/$name.paths"
}

for name in chrony container-selinux iproute-tc iptables-nft keepalived; do
    build "$out/os/Packages" "$packages/$name.spec"
done
provided=$(rpm -qp --provides "$base/usr/share/kubeferry-lab/base-os.rpm" 2>/dev/null)
while read -r name debian; do
    # What the nodes have is no package of its own.
    if grep -q "^$name = " <<<"$provided"; then
        continue
    fi
    # shellcheck disable=SC2086 # several names
    from_debian "$name" $debian >"$work/$name.spec"
    build "$out/os/Packages" "$work/$name.spec"
done < <(grep -v '^#' "$packages/from-debian.txt")
cp "$base/usr/share/kubeferry-lab/base-os.rpm" "$out/os/Packages/base-os-9-1.x86_64.rpm"

sign os "$out"/os/Packages/*.rpm
# Another day: one more release of one package.
mkdir -p "$out/os-next" "$work/next"
cp -a "$out/os/Packages" "$out/os-next/"
build "$work/next" "$work/socat.spec" --define 'next .1'
sign os "$work"/next/*.rpm
mv "$work"/next/*.rpm "$out/os-next/Packages/"

publish "$out/os" os --groupfile "$packages/comps.xml" --revision 1
publish "$out/os-next" os --groupfile "$packages/comps.xml" --revision 2
