#!/usr/bin/env bash
# A virtual machine like the other nodes: Debian's kernel for clouds with all its
# modules, a small initramfs, and a disk.
#
# usage: vm.sh OUT    (a new folder: OUT/kernel, OUT/initramfs, OUT/disk)
#        BASE: the nodes' root file system;  PARTS: one to take programs from
set -euo pipefail
out=$1 base=${BASE:?} parts=${PARTS:?}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
apt-get -qq download "$package"
dpkg-deb -x ./*.deb kernel
release=$(basename kernel/lib/modules/*)
depmod -b kernel "$release"
cp "kernel/boot/vmlinuz-$release" "$out/kernel"

mkdir -p initramfs/{bin,dev,mnt,modules,proc,sys}
cp "$parts/bin/busybox" initramfs/bin/busybox
for module in virtio_pci virtio_blk ext4; do
    modprobe -d "$work/kernel" -S "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >modules
number=10
while read -r module; do
    cp "$module" "initramfs/modules/$number-$(basename "$module")"
    number=$((number + 1))
done <modules
cat >initramfs/init <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for module in /modules/*; do $b insmod "$module"; done
until [ -b /dev/vda ]; do $b sleep 0.1; done
$b mount -t ext4 /dev/vda /mnt
$b mount --move /dev /mnt/dev
exec $b switch_root /mnt /sbin/init
INIT
chmod +x initramfs/init
(cd initramfs && find . | "$parts/bin/busybox" cpio -o -H newc 2>/dev/null) | gzip -1 >"$out/initramfs"

# What stands in for hardware in the other nodes is real here.
cp -a "$base" root
units=root/etc/systemd/system
rm -rf root/usr/lib/modules root/usr/local/sbin/runc "$units"/systemd-udev* "$units/chronyd.service.d"
cp -a kernel/lib/modules root/usr/lib/
cp "kernel/boot/config-$release" root/boot/
for program in swapon swapoff; do
    cp "$parts/usr/sbin/$program" "root/usr/sbin/$program"
done
# Not zeros, of which the disk would hold nothing: swap must have no holes.
head -c 64M /dev/urandom >root/swapfile
mkswap --quiet root/swapfile
mkdir -p "$units/multi-user.target.wants" root/etc/systemd/network
ln -s /lib/systemd/system/systemd-networkd.service "$units/multi-user.target.wants/"
truncate -s 8G "$out/disk"
mke2fs -q -F -t ext4 -d root "$out/disk"
