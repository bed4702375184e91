#!/usr/bin/env bash
# The lab's signed yum repositories: os, kubernetes, docker-ce, and os-next,
# which is os on another day.
#
# usage: packages.sh OUT    (a new folder)
#        PACKAGES: the folder of specs;  PARTS: a root file system to take files
#        of Debian's packages from;  KUBERNETES: programs;  KEYS: see keys.sh;
#        BASE: the nodes' root file system
set -euo pipefail
out=$1
packages=${PACKAGES:?} parts=${PARTS:?} kubernetes=${KUBERNETES:?} keys=${KEYS:?} base=${BASE:?}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"/{os,kubernetes,docker-ce}/Packages

# Programs are Debian's or stripped already: they are packed as they are.
build() {
    local into=$1 spec=$2
    rpmbuild -bb --quiet --target x86_64 --define "_topdir $work" --define "_rpmdir $into" \
        --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
        --define '_binary_payload w3.gzdio' --define '_build_id_links none' \
        --define '__os_install_post %{nil}' --define 'debug_package %{nil}' \
        --define '_unitdir /usr/lib/systemd/system' --define 'source_date_epoch_from_changelog 0' \
        --define "parts $parts" --define "kubernetes $kubernetes" "${@:3}" "$spec" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}

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
            [[ -d $parts$path && ! -L $parts$path ]] || echo "$path"
        done | tee "$work/$name.paths" | sed 's#^#.#' >"$work/$name.files"
    sed 's#^/etc/.*#%config(noreplace) &#' "$work/$name.paths"
}

for name in kubelet kubeadm kubectl kubernetes-cni cri-tools; do
    build "$out/kubernetes/Packages" "$packages/$name.spec"
done
build "$out/docker-ce/Packages" "$packages/containerd.io.spec"
for name in chrony container-selinux iproute-tc iptables-ebtables; do
    build "$out/os/Packages" "$packages/$name.spec"
done
while read -r name debian; do
    # shellcheck disable=SC2086 # several names
    from_debian "$name" $debian >"$work/$name.spec"
    build "$out/os/Packages" "$work/$name.spec"
done < <(grep -v '^#' "$packages/from-debian.txt")
cp "$base/usr/share/kubeferry-lab/base-os.rpm" "$out/os/Packages/base-os-8-1.x86_64.rpm"

sign() {
    local key=$1
    shift
    rpmsign --define "_gpg_name $key@lab.example" --define "_gpg_path $keys/gnupg" \
        --define '__gpg /usr/bin/gpg' --addsign "$@" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}

publish() {
    local repository=$1 key=$2
    shift 2
    createrepo_c --quiet "$@" "$repository"
    gpg --homedir "$keys/gnupg" --batch --quiet --local-user "$key@lab.example" --armor \
        --detach-sign "$repository/repodata/repomd.xml"
    cp "$keys/RPM-GPG-KEY-$key" "$repository/"
}

for name in os kubernetes docker-ce; do
    sign "$name" "$out/$name"/Packages/*.rpm
done
# Another day: one more release of one package.
mkdir -p "$out/os-next" "$work/next"
cp -a "$out/os/Packages" "$out/os-next/"
build "$work/next" "$work/socat.spec" --define 'next .1'
sign os "$work"/next/*.rpm
mv "$work"/next/*.rpm "$out/os-next/Packages/"

publish "$out/os" os --groupfile "$packages/comps.xml" --revision 1
publish "$out/os-next" os --groupfile "$packages/comps.xml" --revision 2
publish "$out/kubernetes" kubernetes
publish "$out/docker-ce" docker-ce
gpgconf --homedir "$keys/gnupg" --kill all
