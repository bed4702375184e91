#!/usr/bin/env bash
# A root file system from which files are taken for RPMs and images.
#
# usage: parts.sh OUT    (a new folder)
#        RECIPES: this folder;  DEBS: see rootfs.sh
set -euo pipefail
"${RECIPES:?this folder}/rootfs.sh" "$1" \
    busybox-static chrony conntrack etcd-server ethtool iproute2 ipset \
    iptables ipvsadm keepalived keyutils nfs-common nfs-kernel-server nftables nginx-light rpcbind runc socat
