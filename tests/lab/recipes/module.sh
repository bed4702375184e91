#!/usr/bin/env bash
# Builds the programs that a go.mod names as its tools: static, and stamped with
# their version as upstream's own releases are. Go checks each module against
# the go.sum beside it.
#
# usage: module.sh OUT    (a new folder, which receives the binaries)
#        MODULE: a folder of modules/, called NAME-VERSION
set -euo pipefail
out=$1
cd "${MODULE:?a folder of modules/}"
name=$(basename "$PWD")
version=v${name##*-}
export PATH=/usr/local/go/bin:$PATH CGO_ENABLED=0

stamps=() link=()
case $name in
kubernetes-*)
    IFS=. read -r major minor _ <<<"${version#v}"
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        stamps+=("$package.gitVersion=$version" "$package.gitMajor=$major" "$package.gitMinor=$minor"
            "$package.gitTreeState=clean")
    done
    ;;
containerd-1.*) stamps+=("github.com/containerd/containerd/version.Version=$version") ;;
containerd-*) stamps+=("github.com/containerd/containerd/v2/version.Version=$version") ;;
cri-tools-*) stamps+=("sigs.k8s.io/cri-tools/pkg/version.Version=$version") ;;
cni-plugins-*)
    stamps+=("github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=$version")
    ;;
flannel-0.*)
    stamps+=("github.com/flannel-io/flannel/pkg/version.Version=$version")
    # One of its backends is in C.
    export CGO_ENABLED=1
    link=(-linkmode external -extldflags -static)
    ;;
esac
mkdir -p "$out"
go build -trimpath -buildvcs=false -tags 'no_btrfs no_devmapper no_zfs' \
    -ldflags "-s -w ${link[*]} ${stamps[*]/#/-X }" -o "$out/" tool

source_of() {
    go list -m -f '{{.Dir}}' "$1"
}

# What a release has besides its Go programs.
case $name in
kubernetes-*)
    gcc -Os -static -DVERSION=lab -o "$out/pause" "$(source_of k8s.io/kubernetes)/build/pause/linux/pause.c"
    strip "$out/pause"
    ;;
containerd-1.*) cp "$(source_of github.com/containerd/containerd)/containerd.service" "$out/" ;;
containerd-*) cp "$(source_of github.com/containerd/containerd/v2)/containerd.service" "$out/" ;;
flannel-0.*) cp "$(source_of github.com/flannel-io/flannel)/Documentation/kube-flannel.yml" "$out/" ;;
esac
