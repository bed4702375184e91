#!/usr/bin/env bash
# The lab's images, pushed with skopeo into a registry's storage, and the
# manifests that name them, some by the digests that they were pushed under.
#
# usage: images.sh OUT    (a new folder: OUT/storage, OUT/manifests)
#        MANIFESTS: templates;  PARTS: a root file system to take files of
#        Debian's packages from;  KUBERNETES: programs;  KEYS: see keys.sh
#        LAB: the program `lab`, which runs the registry
set -euo pipefail
out=$1
manifests=${MANIFESTS:?} parts=${PARTS:?} kubernetes=${KUBERNETES:?} keys=${KEYS:?}

work=$(mktemp -d)
mkdir -p "$out/storage" "$out/manifests" "$work/upstream"
coproc UPSTREAM { "${LAB:?}" serve --storage "$out/storage" --keys "$keys" --folder "$work/upstream"; }
upstream=$UPSTREAM_PID
trap 'kill "$upstream" 2>/dev/null || true; rm -rf "$work"' EXIT
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
    for applet in sh cat echo ls sleep wget nslookup; do
        ln -s busybox "$1/bin/$applet"
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

root=$work/root
for program in kube-apiserver kube-controller-manager kube-scheduler; do
    skeleton "$root"
    cp "$kubernetes/$program" "$root/usr/local/bin/"
    image "k8s.gcr.io/$program:v1.20.2"
done

skeleton "$root"
cp "$kubernetes/kube-proxy" "$root/usr/local/bin/"
busybox "$root"
from_parts "$root" /usr/sbin/{xtables-nft-multi,xtables-legacy-multi,ipset,conntrack} \
    /usr/lib/x86_64-linux-gnu/xtables
for family in iptables ip6tables; do
    for program in "$family" "$family-save" "$family-restore"; do
        ln -s xtables-nft-multi "$root/usr/sbin/$program"
    done
done
image "k8s.gcr.io/kube-proxy:v1.20.2"

mkdir -p "$root"
cp "$kubernetes/pause" "$root/pause"
image "k8s.gcr.io/pause:3.2" --config.entrypoint /pause

skeleton "$root"
from_parts "$root" /usr/bin/etcd
ln -s ../../bin/etcd "$root/usr/local/bin/etcd"
image "k8s.gcr.io/etcd:3.4.13-0"

skeleton "$root"
cp "$kubernetes/coredns" "$root/coredns"
image "k8s.gcr.io/coredns:1.7.0" --config.entrypoint /coredns

# One by docker's own types, as most older images are.
skeleton "$root"
cp "$kubernetes/web" "$root/web"
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
agent=registry.lab.example/cni-agent
layout
skeleton "$root"
echo "not a program" >"$root/cni-agent"
pack absent arm64 --config.entrypoint /cni-agent
skeleton "$root"
cp "$kubernetes/cni-agent" "$root/cni-agent"
mkdir -p "$root/plugins"
cp "$parts"/usr/lib/cni/{bridge,host-local,loopback,portmap} "$root/plugins/"
pack present amd64 --config.entrypoint /cni-agent

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
push "$agent:1.0" --all "oci:$work/layout:image"
skopeo delete --authfile "$keys/docker/config.json" --cert-dir "$keys/certificates" \
    "docker://$registry/$agent@$absent"

# The manifests, with the digests where they ask for them.
for manifest in "$manifests"/*.yaml; do
    text=$(<"$manifest")
    for name in cni-agent ingress admission; do
        name=registry.lab.example/$name:1.0
        text=${text//"$name@DIGEST"/"$name@$(digest_of "$name")"}
    done
    printf '%s\n' "$text" >"$out/manifests/$(basename "$manifest")"
done
