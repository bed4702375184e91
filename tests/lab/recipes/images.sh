#!/usr/bin/env bash
# The lab's images, pushed with skopeo into a registry's storage, and the
# manifests that name them, some by the digests that they were pushed under.
#
# usage: images.sh OUT    (a new folder: OUT/storage, OUT/manifests)
#        MANIFESTS: templates;  PARTS: a root file system to take files of
#        Debian's packages from;  KEYS: see keys.sh
#        KUBERNETES, ETCD, COREDNS, FLANNEL, FLANNEL_CNI, WEB: programs, the first
#        with its version in KUBERNETES_VERSION; without ETCD, Debian's is taken
#        LAB: the program `lab`, which runs the registry
set -euo pipefail
out=$1
manifests=${MANIFESTS:?} parts=${PARTS:?} keys=${KEYS:?}

work=$(mktemp -d)
mkdir -p "$out/storage" "$out/manifests" "$work/upstream"
coproc UPSTREAM { exec "${LAB:?}" serve --storage "$out/storage" --keys "$keys" --folder "$work/upstream"; }
upstream=$UPSTREAM_PID
trap 'kill "$upstream" 2>/dev/null || true; wait "$upstream" || true; rm -rf "$work"' EXIT
if ! read -r registry <&"${UPSTREAM[0]}"; then
    echo "the registry did not start" >&2
    exit 1
fi

# Folders that every image has, and a user.
skeleton() {
    mkdir -p "$1"/{etc,run,tmp,var,usr/local/bin}
    chmod 1777 "$1/tmp"
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$1/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$1/etc/group"
    echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
}

# Files of the parts under their own paths, with the libraries that they need.
from_parts() {
    local root=$1 path library
    shift
    for path; do
        mkdir -p "$root$(dirname "$path")"
        cp -a "$parts$path" "$root$path"
        find "$root$path" -type f
    done | sed "s#^$root##" | while read -r path; do
        chroot "$parts" ldd "$path" 2>/dev/null || true
    done | sed -nE 's#.*[[:space:]](/[^ ]+) \(0x.*#\1#p' | sort -u | while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$parts$library" "$root$library"
    done
}

busybox() {
    mkdir -p "$1/bin"
    cp "$parts/bin/busybox" "$1/bin/busybox"
    local applet
    for applet in sh cat cp echo ls sleep wget nslookup; do
        ln -s busybox "$1/bin/$applet"
    done
}

iptables() {
    local family program
    from_parts "$1" /usr/sbin/{xtables-nft-multi,xtables-legacy-multi} /usr/lib/x86_64-linux-gnu/xtables
    for family in iptables ip6tables; do
        for program in "$family" "$family-save" "$family-restore"; do
            ln -s xtables-nft-multi "$1/usr/sbin/$program"
        done
    done
}

# An image of what is in $work/root, as one more tag of $work/layout.
pack() {
    local image=$work/layout:$1 architecture=$2
    shift 2
    umoci new --image "$image"
    umoci insert --image "$image" "$work/root" /
    umoci config --image "$image" --architecture "$architecture" --os linux \
        --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    umoci gc --layout "$work/layout"
    rm -rf "$work/root"
} >/dev/null

layout() {
    rm -rf "$work/layout"
    umoci init --layout "$work/layout"
}

push() {
    local name=$1
    shift
    skopeo copy --quiet --authfile "$keys/docker/config.json" --dest-cert-dir "$keys/certificates" \
        "$@" "docker://$registry/$name"
}

digest_of() {
    skopeo inspect --authfile "$keys/docker/config.json" --cert-dir "$keys/certificates" --raw \
        "docker://$registry/$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'
}

image() {
    local name=$1
    shift
    layout
    pack image amd64 "$@"
    push "$name" "oci:$work/layout:image"
}

# What kubeadm itself says that it needs.
mapfile -t wanted < <("${KUBERNETES:?}/kubeadm" config images list --kubernetes-version "v${KUBERNETES_VERSION:?}")

# The name that kubeadm wants an image under.
name_of() {
    local image
    for image in "${wanted[@]}"; do
        if [[ ${image##*/} == "$1":* ]]; then
            echo "$image"
            return
        fi
    done
    echo "kubeadm wants no $1: ${wanted[*]}" >&2
    exit 1
}

root=$work/root
for program in kube-apiserver kube-controller-manager kube-scheduler; do
    skeleton "$root"
    cp "$KUBERNETES/$program" "$root/usr/local/bin/"
    name=$(name_of "$program")
    image "$name"
done

skeleton "$root"
cp "$KUBERNETES/kube-proxy" "$root/usr/local/bin/"
busybox "$root"
iptables "$root"
from_parts "$root" /usr/sbin/{ipset,conntrack,nft}
name=$(name_of kube-proxy)
image "$name"

mkdir -p "$root"
cp "$KUBERNETES/pause" "$root/pause"
name=$(name_of pause)
image "$name" --config.entrypoint /pause

skeleton "$root"
if [[ -n ${ETCD:-} ]]; then
    cp "$ETCD/server" "$root/usr/local/bin/etcd"
    cp "$ETCD/etcdctl" "$root/usr/local/bin/"
    # Upstream's images of 3.5 have none.
    [[ $ETCD == */etcd-3.5.* ]] || cp "$ETCD/etcdutl" "$root/usr/local/bin/"
else
    from_parts "$root" /usr/bin/etcd
    ln -s ../../bin/etcd "$root/usr/local/bin/etcd"
fi
name=$(name_of etcd)
image "$name"

skeleton "$root"
cp "${COREDNS:?}/coredns" "$root/coredns"
name=$(name_of coredns)
image "$name" --config.entrypoint /coredns

# One by docker's own types, as most older images are.
skeleton "$root"
cp "${WEB:?}/web" "$root/web"
busybox "$root"
layout
pack image amd64 --config.entrypoint /web
push "registry.lab.example/web:1.0" --format v2s2 "oci:$work/layout:image"

skeleton "$root"
busybox "$root"
image "registry.lab.example/admission:1.0" --config.entrypoint /bin/sh

skeleton "$root"
from_parts "$root" /usr/sbin/nginx
mkdir -p "$root/var/log/nginx" "$root/var/lib/nginx"
busybox "$root"
image "registry.lab.example/ingress:1.0" --config.entrypoint /usr/sbin/nginx

# An index, one of whose two platforms the registry does not have, as mirrors
# that copied one platform leave it.
network=$(sed -n 's#.*image: \(.*/flannel:.*\)#\1#p' "${FLANNEL:?}/kube-flannel.yml" | sort -u)
layout
skeleton "$root"
mkdir -p "$root/opt/bin"
echo "not a program" >"$root/opt/bin/flanneld"
pack absent arm64 --config.entrypoint /opt/bin/flanneld
skeleton "$root"
mkdir -p "$root/opt/bin"
cp "$FLANNEL/flannel" "$root/opt/bin/flanneld"
busybox "$root"
iptables "$root"
pack present amd64 --config.entrypoint /opt/bin/flanneld

descriptors=$work/layout/index.json
jq -c '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [.manifests[] |
    {mediaType, digest, size, platform: {os: "linux", architecture: (
        if .annotations["org.opencontainers.image.ref.name"] == "present" then "amd64" else "arm64" end)}}]}' \
    "$descriptors" >"$work/index"
absent=$(jq -r '.manifests[] | select(.platform.architecture == "arm64") | .digest' "$work/index")
digest=$(sha256sum "$work/index" | cut -d ' ' -f 1)
jq -n --arg digest "sha256:$digest" --arg size "$(stat --format=%s "$work/index")" \
    '{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.index.v1+json",
      digest: $digest, size: ($size | tonumber),
      annotations: {"org.opencontainers.image.ref.name": "image"}}]}' >"$descriptors"
mv "$work/index" "$work/layout/blobs/sha256/$digest"
push "$network" --all "oci:$work/layout:image"
skopeo delete --authfile "$keys/docker/config.json" --cert-dir "$keys/certificates" \
    "docker://$registry/${network%:*}@$absent"

skeleton "$root"
cp "${FLANNEL_CNI:?}/flannel" "$root/flannel"
busybox "$root"
name=$(sed -n 's#.*image: \(.*/flannel-cni-plugin:.*\)#\1#p' "$FLANNEL/kube-flannel.yml")
image "$name"

# The manifests, with the digests where they ask for them.
for manifest in "$manifests"/*.yaml; do
    text=$(<"$manifest")
    for name in ingress admission; do
        name=registry.lab.example/$name:1.0
        text=${text//"$name@DIGEST"/"$name@$(digest_of "$name")"}
    done
    printf '%s\n' "$text" >"$out/manifests/$(basename "$manifest")"
done
cp "$FLANNEL/kube-flannel.yml" "$out/manifests/"
