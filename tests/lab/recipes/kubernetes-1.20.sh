#!/usr/bin/env bash
# Builds Kubernetes 1.20.2 from Debian's source package, which holds the whole
# upstream tree with its vendored modules: no Go module proxy has that release.
# Nothing is fetched while compiling.
#
# usage: kubernetes-1.20.sh OUT    (a new folder, which receives the binaries)
set -euo pipefail
out=$1

export PATH=/usr/lib/go-1.19/bin:$PATH
# The path of the tree is embedded in the binaries, so it is always the same.
work=/var/tmp/kubeferry-lab-kubernetes
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
cd "$work"

# A list of the source packages of whichever Debian mirror this machine uses,
# beside the machine's own configuration and not in it.
mkdir lists
apt-get indextargets --format "deb-src $(printf '%s' "\$(REPO_URI) \$(RELEASE) \$(COMPONENT)")" \
    'Created-By: Packages' 'Origin: Debian' >sources.list
here=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists")
apt-get "${here[@]}" -qq update
apt-get "${here[@]}" -qq source --download-only kubernetes
tar -xf kubernetes_*really1.20.2.orig.tar.gz
tree=$work/kubernetes-1.20.2

# Compiled with Go 1.18 or newer, kubeadm crashes with the vendored reflect2
# 1.0.1 (modern-go/reflect2#24); Debian has 1.0.2.
apt-get -qq download golang-github-modern-go-reflect2-dev
dpkg-deb -x golang-github-modern-go-reflect2-dev_*.deb reflect2
vendored=$tree/vendor/github.com/modern-go/reflect2
rm -f "$vendored"/*.go "$vendored"/*.s
cp reflect2/usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} "$vendored/"
rm -f "$vendored"/*_test.go

# What upstream's release build says of itself.
cat >"$tree/.kube-version" <<'VERSION'
KUBE_GIT_COMMIT='faecb196815e248d3ecfb03c680a4507229c2a56'
KUBE_GIT_TREE_STATE='clean'
KUBE_GIT_VERSION='v1.20.2'
KUBE_GIT_MAJOR='1'
KUBE_GIT_MINOR='20'
VERSION
export KUBE_GIT_VERSION_FILE=$tree/.kube-version SOURCE_DATE_EPOCH=1610544000
# GOPATH mode, which upstream's makefile sets up; `-mod=vendor` does not work.
export CGO_ENABLED=0 GOPROXY=off GOSUMDB=off GOCACHE=$work/gocache
export KUBE_BUILD_PLATFORMS=linux/amd64 KUBE_VERBOSE=0
names=(kubeadm kubelet kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy)
export KUBE_STATIC_OVERRIDES="${names[*]}"
cd "$tree"
# Without a network, so that a missing module fails here and now.
unshare --net make all GOLDFLAGS="-s -w" WHAT="${names[*]/#/cmd\/}"

mkdir -p "$out"
for name in "${names[@]}"; do
    cp -L "_output/bin/$name" "$out/"
done
gcc -Os -static -DVERSION=v3.2 -o "$out/pause" build/pause/linux/pause.c
strip "$out/pause"
