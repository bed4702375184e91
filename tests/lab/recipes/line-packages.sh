#!/usr/bin/env bash
# The signed yum repositories of a line: kubernetes and docker-ce.
#
# usage: line-packages.sh OUT    (a new folder)
#        RECIPES: this folder;  PACKAGES: the folder of specs;  PARTS: a root file
#        system to take files of Debian's packages from;  KEYS: see keys.sh;
#        KUBERNETES, CRI_TOOLS, CNI_PLUGINS, CONTAINERD: programs, each with its
#        version in the variable of that name with _VERSION
set -euo pipefail
out=$1
packages=${PACKAGES:?}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"/{kubernetes,docker-ce}/Packages
# shellcheck source=tests/lab/recipes/rpm.sh
. "${RECIPES:?}/rpm.sh"

release=${KUBERNETES_VERSION:?}
minor=${release#1.}
kubernetes=(--define "upstream $release" --define "minor ${minor%%.*}" --define "programs ${KUBERNETES:?}")
for name in kubelet kubeadm kubectl; do
    build "$out/kubernetes/Packages" "$packages/$name.spec" "${kubernetes[@]}"
done
build "$out/kubernetes/Packages" "$packages/cri-tools.spec" \
    --define "upstream ${CRI_TOOLS_VERSION:?}" --define "programs ${CRI_TOOLS:?}"
build "$out/kubernetes/Packages" "$packages/kubernetes-cni.spec" \
    --define "upstream ${CNI_PLUGINS_VERSION:?}" --define "programs ${CNI_PLUGINS:?}"
build "$out/docker-ce/Packages" "$packages/containerd.io.spec" \
    --define "upstream ${CONTAINERD_VERSION:?}" --define "programs ${CONTAINERD:?}"

for name in kubernetes docker-ce; do
    sign "$name" "$out/$name"/Packages/*.rpm
    publish "$out/$name" "$name"
done
